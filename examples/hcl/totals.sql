-- A total for each customer: what the job remembers outlives an edit as long as it means the same.
CREATE TABLE orders (customer INT, amount BIGINT) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '10',
  'fields.customer.min' = '1',
  'fields.customer.max' = '5'
);

CREATE TABLE totals (customer INT, amount BIGINT) WITH ('connector' = 'blackhole');

INSERT INTO totals SELECT customer, SUM(amount) FROM orders GROUP BY customer;

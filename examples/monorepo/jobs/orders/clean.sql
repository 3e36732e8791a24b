-- The only job that writes the orders that everybody reads.
-- flinkform: include ../shared/orders.inc
CREATE TEMPORARY TABLE taken (id BIGINT, customer BIGINT, amount DECIMAL(10, 2)) WITH (
  'connector' = 'datagen', 'rows-per-second' = '5', 'fields.customer.min' = '1', 'fields.customer.max' = '50'
);
INSERT INTO orders SELECT id, customer, amount, CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)) FROM taken WHERE amount > 0;

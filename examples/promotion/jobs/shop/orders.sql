CREATE TEMPORARY TABLE orders (id BIGINT, amount DECIMAL(10, 2)) WITH ('connector' = 'datagen', 'rows-per-second' = '1');
CREATE TEMPORARY TABLE sold (id BIGINT, amount DECIMAL(10, 2)) WITH (
  'connector' = 'filesystem', 'path' = '/tmp/promotion/${prefix}/sold', 'format' = 'json'
);
INSERT INTO sold SELECT id, amount FROM orders;

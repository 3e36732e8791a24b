-- flinkform: include ../shared/orders.inc
CREATE TEMPORARY TABLE alerts (id BIGINT, customer BIGINT, amount DECIMAL(10, 2)) WITH ('connector' = 'print');
INSERT INTO alerts SELECT id, customer, amount FROM orders WHERE amount > 10000;

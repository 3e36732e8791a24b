-- flinkform: include /shared/orders.inc
CREATE TEMPORARY TABLE totals (day_start TIMESTAMP(3), amount DECIMAL(38, 2)) WITH ('connector' = 'blackhole');
INSERT INTO totals
SELECT window_start, SUM(amount)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(placed), INTERVAL '1' DAY))
GROUP BY window_start, window_end;

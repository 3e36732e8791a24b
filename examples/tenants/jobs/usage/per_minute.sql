-- What a tenant's customers used, a minute at a time.
CREATE TABLE usage_events (
  customer INT,
  amount DECIMAL(10, 2),
  at_time AS LOCALTIMESTAMP,
  WATERMARK FOR at_time AS at_time - INTERVAL '1' SECOND
) WITH ('connector' = 'datagen', 'rows-per-second' = '2', 'fields.customer.max' = '20');

CREATE TABLE usage_per_minute (window_start TIMESTAMP(3), customer INT, amount DECIMAL(38, 2)) WITH ('connector' = 'blackhole');

INSERT INTO usage_per_minute
SELECT window_start, customer, SUM(amount)
FROM TUMBLE(TABLE usage_events, DESCRIPTOR(at_time), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, customer;

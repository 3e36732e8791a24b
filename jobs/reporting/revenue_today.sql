-- Fees earned since midnight, a new number every minute: the figure on the wall.
--
-- A cumulating window grows from midnight in steps of a minute and starts again the next day.

SET 'table.local-time-zone' = 'Europe/Berlin'; -- midnight where the wall is

CREATE TEMPORARY TABLE sales (
  sale_id   STRING,
  price     DECIMAL(10, 2),
  sold_at   AS CURRENT_TIMESTAMP,
  WATERMARK FOR sold_at AS sold_at - INTERVAL '1' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '2',
  'fields.sale_id.length' = '12',
  'fields.price.min' = '1',
  'fields.price.max' = '900'
);

CREATE TEMPORARY TABLE revenue (
  day_start TIMESTAMP(3),
  as_of     TIMESTAMP(3),
  sales     BIGINT,
  fees      DECIMAL(20, 2)
) WITH (
  'connector' = 'print',
  'print-identifier' = 'revenue'
);

INSERT INTO revenue
SELECT window_start, window_end, COUNT(*), SUM(CAST(price * 0.05 AS DECIMAL(12, 2)))
FROM TABLE(CUMULATE(TABLE sales, DESCRIPTOR(sold_at), INTERVAL '1' MINUTE, INTERVAL '1' DAY))
GROUP BY window_start, window_end;

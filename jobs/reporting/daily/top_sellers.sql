-- The ten best sellers of the closed books, as CSV for the newsletter.
--
-- A batch job: it reads what there is, writes one file and ends. It runs again when this file changes.

SET 'execution.runtime-mode' = 'batch';

CREATE TEMPORARY TABLE sales (
  sale_id   BIGINT,
  seller_id AS MOD(sale_id * sale_id, 37) + 1,
  price     AS CAST(MOD(sale_id * 104729, 50000) AS DECIMAL(10, 2)) / 100
) WITH (
  'connector' = 'datagen',
  'number-of-rows' = '2000',
  'fields.sale_id.kind' = 'sequence',
  'fields.sale_id.start' = '1',
  'fields.sale_id.end' = '2000'
);

CREATE TEMPORARY TABLE top_sellers (
  place     BIGINT,
  seller_id BIGINT,
  sales     BIGINT,
  turnover  DECIMAL(20, 2)
) WITH (
  'connector' = 'filesystem',
  'path' = 'results/top_sellers',
  'format' = 'csv'
);

INSERT OVERWRITE top_sellers
SELECT place, seller_id, sales, turnover
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (ORDER BY turnover DESC, seller_id) AS place
  FROM (
    SELECT seller_id, COUNT(*) AS sales, CAST(SUM(price) AS DECIMAL(20, 2)) AS turnover
    FROM sales
    GROUP BY seller_id
  )
)
WHERE place <= 10;

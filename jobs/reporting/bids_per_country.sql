-- Bids per country of the bidder, under the country's code: the map on the wall.
--
-- The query counts per country number; the map wants the code as key. Flink cannot know that one number is one
-- code, so the key of the changes is not the key of the sink, and it must be told what to do if two numbers
-- ever gave one code.

CREATE TEMPORARY TABLE bids (
  country_no INT,
  price      DECIMAL(10, 2)
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '4',
  'fields.country_no.min' = '1',
  'fields.country_no.max' = '4',
  'fields.price.min' = '1',
  'fields.price.max' = '900'
);

CREATE TEMPORARY TABLE map (
  country STRING,
  bids    BIGINT,
  highest DECIMAL(10, 2),
  PRIMARY KEY (country) NOT ENFORCED
) WITH (
  'connector' = 'print',
  'print-identifier' = 'bids-per-country'
);

INSERT INTO map
SELECT
  CASE country_no WHEN 1 THEN 'DE' WHEN 2 THEN 'FR' WHEN 3 THEN 'CN' ELSE 'BR' END,
  bids,
  highest
FROM (
  SELECT country_no, COUNT(*) AS bids, MAX(price) AS highest
  FROM bids
  GROUP BY country_no
)
ON CONFLICT DO DEDUPLICATE;

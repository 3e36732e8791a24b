-- Bids with their price in euro, at the rate that held when the bid was made, not at today's.
--
-- The rates are a stream of changes. Keeping the last one per currency makes it a versioned view, and
-- FOR SYSTEM_TIME AS OF joins each bid to the version of its own time.

CREATE TEMPORARY TABLE bids (
  bid_id      STRING,
  auction_id  BIGINT,
  amount      DECIMAL(10, 2),
  currency_no INT,
  delay       INT,
  currency    AS CASE currency_no WHEN 1 THEN 'USD' WHEN 2 THEN 'GBP' WHEN 3 THEN 'CNY' ELSE 'JPY' END,
  bid_time    AS TIMESTAMPADD(SECOND, -delay, CURRENT_TIMESTAMP),
  WATERMARK FOR bid_time AS bid_time - INTERVAL '3' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '5',
  'fields.bid_id.length' = '12',
  'fields.auction_id.min' = '1',
  'fields.auction_id.max' = '50',
  'fields.amount.min' = '1',
  'fields.amount.max' = '900',
  'fields.currency_no.min' = '1',
  'fields.currency_no.max' = '4',
  'fields.delay.min' = '0',
  'fields.delay.max' = '2'
);

CREATE TEMPORARY TABLE rate_changes (
  currency_no INT,
  cents       INT,
  currency    AS CASE currency_no WHEN 1 THEN 'USD' WHEN 2 THEN 'GBP' WHEN 3 THEN 'CNY' ELSE 'JPY' END,
  rate        AS CAST(cents AS DECIMAL(10, 4)) / 100,
  changed_at  AS CURRENT_TIMESTAMP,
  WATERMARK FOR changed_at AS changed_at - INTERVAL '1' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '2',
  'fields.currency_no.min' = '1',
  'fields.currency_no.max' = '4',
  'fields.cents.min' = '80',
  'fields.cents.max' = '120'
);

CREATE TEMPORARY VIEW rates AS
SELECT currency, rate, changed_at
FROM (
  SELECT
    currency,
    rate,
    changed_at,
    ROW_NUMBER() OVER (PARTITION BY currency ORDER BY changed_at DESC) AS newest
  FROM rate_changes
)
WHERE newest = 1;

CREATE TEMPORARY TABLE bids_in_euro (
  bid_id     STRING,
  auction_id BIGINT,
  euro       DECIMAL(12, 2),
  original   STRING,
  bid_time   TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'blackhole'
);

INSERT INTO bids_in_euro
SELECT
  b.bid_id,
  b.auction_id,
  CAST(b.amount * r.rate AS DECIMAL(12, 2)),
  CONCAT(CAST(b.amount AS STRING), ' ', b.currency),
  b.bid_time
FROM bids AS b
JOIN rates FOR SYSTEM_TIME AS OF b.bid_time AS r ON b.currency = r.currency;

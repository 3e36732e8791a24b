-- The three auctions with the most bids of the last minute, looked at every ten seconds: the strip on the front page.

CREATE TEMPORARY TABLE bids (
  auction_id BIGINT,
  price      DECIMAL(10, 2),
  delay      INT,
  bid_time   AS TIMESTAMPADD(SECOND, -delay, CURRENT_TIMESTAMP),
  WATERMARK FOR bid_time AS bid_time - INTERVAL '3' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '20',
  'fields.auction_id.min' = '1',
  'fields.auction_id.max' = '20',
  'fields.price.min' = '1',
  'fields.price.max' = '900',
  'fields.delay.min' = '0',
  'fields.delay.max' = '2'
);

CREATE TEMPORARY TABLE front_page (
  window_end TIMESTAMP(3),
  place      BIGINT,
  auction_id BIGINT,
  bids       BIGINT,
  highest    DECIMAL(10, 2)
) WITH (
  'connector' = 'print',
  'print-identifier' = 'front-page'
);

INSERT INTO front_page
SELECT window_end, place, auction_id, bids, highest
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY bids DESC, auction_id) AS place
  FROM (
    SELECT window_start, window_end, auction_id, COUNT(*) AS bids, MAX(price) AS highest
    FROM TABLE(HOP(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '10' SECOND, INTERVAL '1' MINUTE))
    GROUP BY window_start, window_end, auction_id
  )
)
WHERE place <= 3;

-- Bids by someone who has bid more than five times in the last minute: they wait for a second look.
--
-- An OVER window looks back from every single bid, so the sixth is held the moment it arrives; a tumbling
-- window would let it pass until the minute is over.

CREATE TEMPORARY TABLE bids (
  bid_id     STRING,
  bidder_id  BIGINT,
  auction_id BIGINT,
  price      DECIMAL(10, 2),
  delay      INT,
  bid_time   AS TIMESTAMPADD(SECOND, -delay, CURRENT_TIMESTAMP),
  WATERMARK FOR bid_time AS bid_time - INTERVAL '3' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '5',
  'fields.bid_id.length' = '12',
  'fields.bidder_id.min' = '1',
  'fields.bidder_id.max' = '40',
  'fields.auction_id.min' = '1',
  'fields.auction_id.max' = '200',
  'fields.price.min' = '1',
  'fields.price.max' = '900',
  'fields.delay.min' = '0',
  'fields.delay.max' = '2'
);

CREATE TEMPORARY TABLE held_bids (
  bid_id      STRING,
  bidder_id   BIGINT,
  auction_id  BIGINT,
  price       DECIMAL(10, 2),
  last_minute BIGINT
) WITH (
  'connector' = 'blackhole'
);

INSERT INTO held_bids
SELECT bid_id, bidder_id, auction_id, price, last_minute
FROM (
  SELECT
    *,
    COUNT(*) OVER (
      PARTITION BY bidder_id
      ORDER BY bid_time
      RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW
    ) AS last_minute
  FROM bids
)
WHERE last_minute > 5;

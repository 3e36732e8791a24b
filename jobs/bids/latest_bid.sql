-- The newest bid of each auction, kept up to date under the auction's id: what the auction page reads.
--
-- Keeping the last row per key is a deduplication to Flink (ROW_NUMBER() = 1), which it runs far cheaper than a Top-N.

SET 'table.exec.state.ttl' = '12 h';

CREATE TEMPORARY TABLE bids (
  bid_id     STRING,
  auction_id BIGINT,
  bidder_id  BIGINT,
  price      DECIMAL(10, 2),
  delay      INT,
  bid_time   AS TIMESTAMPADD(SECOND, -delay, CURRENT_TIMESTAMP),
  WATERMARK FOR bid_time AS bid_time - INTERVAL '3' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '5',
  'fields.bid_id.length' = '12',
  'fields.auction_id.min' = '1',
  'fields.auction_id.max' = '30',
  'fields.bidder_id.min' = '1',
  'fields.bidder_id.max' = '500',
  'fields.price.min' = '1',
  'fields.price.max' = '900',
  'fields.delay.min' = '0',
  'fields.delay.max' = '2'
);

CREATE TEMPORARY TABLE latest_bid (
  auction_id BIGINT,
  bid_id     STRING,
  bidder_id  BIGINT,
  price      DECIMAL(10, 2),
  bid_time   TIMESTAMP_LTZ(3),
  PRIMARY KEY (auction_id) NOT ENFORCED
) WITH (
  'connector' = 'print',
  'print-identifier' = 'latest-bid'
);

INSERT INTO latest_bid
SELECT auction_id, bid_id, bidder_id, price, bid_time
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY auction_id ORDER BY bid_time DESC) AS newest
  FROM bids
)
WHERE newest = 1;

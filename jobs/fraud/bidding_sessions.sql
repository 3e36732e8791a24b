-- Sessions of each bidder: bids with less than fifteen seconds between them. A session with many bids over
-- many auctions is a machine more often than a person.

CREATE TEMPORARY TABLE bids (
  bidder_id  BIGINT,
  auction_id BIGINT,
  delay      INT,
  bid_time   AS TIMESTAMPADD(SECOND, -delay, CURRENT_TIMESTAMP),
  WATERMARK FOR bid_time AS bid_time - INTERVAL '3' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '5',
  'fields.bidder_id.min' = '1',
  'fields.bidder_id.max' = '60',
  'fields.auction_id.min' = '1',
  'fields.auction_id.max' = '200',
  'fields.delay.min' = '0',
  'fields.delay.max' = '2'
);

CREATE TEMPORARY TABLE sessions (
  bidder_id     BIGINT,
  session_start TIMESTAMP(3),
  session_end   TIMESTAMP(3),
  bids          BIGINT,
  auctions      BIGINT
) WITH (
  'connector' = 'print',
  'print-identifier' = 'bidding-sessions'
);

INSERT INTO sessions
SELECT bidder_id, window_start, window_end, COUNT(*), COUNT(DISTINCT auction_id)
FROM TABLE(
  SESSION(TABLE bids PARTITION BY bidder_id, DESCRIPTOR(bid_time), INTERVAL '15' SECOND)
)
GROUP BY bidder_id, window_start, window_end
HAVING COUNT(*) > 2;

-- Two bidders who push an auction up: at least three bids in a row, each higher than the one before, within a
-- minute. Patterns over rows are what MATCH_RECOGNIZE is for.

CREATE TEMPORARY TABLE bids (
  auction_id BIGINT,
  bidder_id  BIGINT,
  price      DECIMAL(10, 2),
  bid_time   AS CURRENT_TIMESTAMP,
  WATERMARK FOR bid_time AS bid_time - INTERVAL '1' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '5',
  'fields.auction_id.min' = '1',
  'fields.auction_id.max' = '10',
  'fields.bidder_id.min' = '1',
  'fields.bidder_id.max' = '500',
  'fields.price.min' = '1',
  'fields.price.max' = '900'
);

CREATE TEMPORARY TABLE bidding_wars (
  auction_id  BIGINT,
  started_at  TIMESTAMP_LTZ(3),
  ended_at    TIMESTAMP_LTZ(3),
  start_price DECIMAL(10, 2),
  end_price   DECIMAL(10, 2),
  raises      BIGINT
) WITH (
  'connector' = 'blackhole'
);

INSERT INTO bidding_wars
SELECT auction_id, started_at, ended_at, start_price, end_price, raises
FROM bids
MATCH_RECOGNIZE (
  PARTITION BY auction_id
  ORDER BY bid_time
  MEASURES
    opening.bid_time AS started_at,
    LAST(raise.bid_time) AS ended_at,
    opening.price AS start_price,
    LAST(raise.price) AS end_price,
    COUNT(raise.price) AS raises
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (opening raise{2,} calm) WITHIN INTERVAL '1' MINUTE
  DEFINE
    raise AS
      (LAST(raise.price, 1) IS NULL AND raise.price > opening.price)
      OR raise.price > LAST(raise.price, 1),
    calm AS calm.price <= LAST(raise.price)
);

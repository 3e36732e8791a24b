-- Bids on an auction from the address its seller listed it from, in the first five minutes: someone may be
-- driving up their own price.
--
-- An interval join: both sides are dropped from state as soon as time has passed the five minutes.

CREATE TEMPORARY TABLE auctions (
  auction_id BIGINT,
  seller_id  BIGINT,
  host       INT,
  address    AS CONCAT('10.0.0.', CAST(host AS STRING)),
  opened_at  AS CURRENT_TIMESTAMP,
  WATERMARK FOR opened_at AS opened_at - INTERVAL '1' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '2',
  'fields.auction_id.min' = '1',
  'fields.auction_id.max' = '300',
  'fields.seller_id.min' = '1',
  'fields.seller_id.max' = '40',
  'fields.host.min' = '1',
  'fields.host.max' = '20'
);

CREATE TEMPORARY TABLE bids (
  bid_id     STRING,
  auction_id BIGINT,
  bidder_id  BIGINT,
  host       INT,
  address    AS CONCAT('10.0.0.', CAST(host AS STRING)),
  bid_time   AS CURRENT_TIMESTAMP,
  WATERMARK FOR bid_time AS bid_time - INTERVAL '1' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '5',
  'fields.bid_id.length' = '12',
  'fields.auction_id.min' = '1',
  'fields.auction_id.max' = '300',
  'fields.bidder_id.min' = '1',
  'fields.bidder_id.max' = '500',
  'fields.host.min' = '1',
  'fields.host.max' = '20'
);

CREATE TEMPORARY TABLE suspicions (
  auction_id BIGINT,
  seller_id  BIGINT,
  bidder_id  BIGINT,
  bid_id     STRING,
  address    STRING
) WITH (
  'connector' = 'print',
  'print-identifier' = 'shill-bids'
);

INSERT INTO suspicions
SELECT a.auction_id, a.seller_id, b.bidder_id, b.bid_id, b.address
FROM auctions AS a
JOIN bids AS b
  ON a.auction_id = b.auction_id
  AND a.address = b.address
  AND b.bid_time BETWEEN a.opened_at AND a.opened_at + INTERVAL '5' MINUTE;

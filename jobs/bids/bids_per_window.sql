-- How many bids arrive, in windows of ten seconds, and how many there have been since the job first started.
--
-- The total is state: it goes on after an upgrade, a crash or a night suspended. A total that starts again at
-- zero means that the job lost its state; that is why this job writes it down.

CREATE TEMPORARY TABLE bids (
  auction_id BIGINT,
  bidder_id  BIGINT,
  price      DECIMAL(10, 2),
  -- Phones send late: up to two seconds lie between a bid and its arrival.
  delay      INT,
  bid_time   AS TIMESTAMPADD(SECOND, -delay, CURRENT_TIMESTAMP),
  WATERMARK FOR bid_time AS bid_time - INTERVAL '3' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '10',
  'fields.auction_id.min' = '1',
  'fields.auction_id.max' = '50',
  'fields.bidder_id.min' = '1',
  'fields.bidder_id.max' = '500',
  'fields.price.min' = '1',
  'fields.price.max' = '900',
  'fields.delay.min' = '0',
  'fields.delay.max' = '2'
);

-- JSON lines. The path is below the folder that Flink runs in; a file is complete, and visible, half a minute
-- after its first row.
CREATE TEMPORARY TABLE bids_per_window (
  window_start TIMESTAMP(3),
  window_end   TIMESTAMP(3),
  bids         BIGINT,
  highest      DECIMAL(10, 2),
  total        BIGINT
) WITH (
  'connector' = 'filesystem',
  'path' = 'results/bids_per_window',
  'format' = 'json',
  'sink.rolling-policy.rollover-interval' = '20 s',
  'sink.rolling-policy.check-interval' = '5 s'
);

CREATE TEMPORARY VIEW windows AS
SELECT
  window_start,
  window_end,
  window_time,
  COUNT(*) AS bids,
  MAX(price) AS highest
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, window_time;

INSERT INTO bids_per_window
SELECT
  window_start,
  window_end,
  bids,
  highest,
  SUM(bids) OVER (ORDER BY window_time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
FROM windows;

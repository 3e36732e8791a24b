-- One pass over the listing events, three readers: everything to the archive, prices that fell sharply to the
-- watchers, a count per kind and minute to the catalogue team. One statement set is one Flink job, so the
-- source is read once.

CREATE TEMPORARY TABLE listing_events (
  listing_id BIGINT,
  kind_no    INT,
  old_price  DECIMAL(10, 2),
  new_price  DECIMAL(10, 2),
  kind       AS CASE kind_no WHEN 1 THEN 'created' WHEN 2 THEN 'repriced' ELSE 'withdrawn' END,
  event_time AS CURRENT_TIMESTAMP,
  WATERMARK FOR event_time AS event_time - INTERVAL '1' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '5',
  'fields.listing_id.min' = '1',
  'fields.listing_id.max' = '100000',
  'fields.kind_no.min' = '1',
  'fields.kind_no.max' = '3',
  'fields.old_price.min' = '1',
  'fields.old_price.max' = '500',
  'fields.new_price.min' = '1',
  'fields.new_price.max' = '500'
);

CREATE TEMPORARY TABLE archive (
  listing_id BIGINT,
  kind       STRING,
  old_price  DECIMAL(10, 2),
  new_price  DECIMAL(10, 2),
  event_time TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'blackhole'
);

CREATE TEMPORARY TABLE bargains (
  listing_id BIGINT,
  new_price  DECIMAL(10, 2),
  message    STRING
) WITH (
  'connector' = 'print',
  'print-identifier' = 'bargains'
);

CREATE TEMPORARY TABLE events_per_minute (
  minute_start TIMESTAMP(3),
  kind         STRING,
  events       BIGINT
) WITH (
  'connector' = 'filesystem',
  'path' = 'results/listing_events_per_minute',
  'format' = 'csv',
  'sink.rolling-policy.rollover-interval' = '1 min',
  'sink.rolling-policy.check-interval' = '10 s'
);

EXECUTE STATEMENT SET
BEGIN

INSERT INTO archive
SELECT listing_id, kind, old_price, new_price, event_time
FROM listing_events;

INSERT INTO bargains
SELECT listing_id, new_price, 'now under half; watchers get a mail'
FROM listing_events
WHERE kind = 'repriced' AND new_price < old_price / 2;

INSERT INTO events_per_minute
SELECT window_start, kind, COUNT(*)
FROM TABLE(TUMBLE(TABLE listing_events, DESCRIPTOR(event_time), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, kind;

END;

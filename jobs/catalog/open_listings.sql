-- Listings with what buyers want to know about the seller: the search index is filled from this.
--
-- A plain join: a seller who changes their name changes all their open listings. Both sides are state, so
-- what nobody touches is forgotten after the time that the folder's defaults say.

CREATE TEMPORARY TABLE listings (
  listing_id BIGINT,
  seller_id  BIGINT,
  title      STRING,
  reserve    DECIMAL(10, 2)
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '4',
  'fields.listing_id.min' = '1',
  'fields.listing_id.max' = '100000',
  'fields.seller_id.min' = '1',
  'fields.seller_id.max' = '40',
  'fields.title.length' = '24',
  'fields.reserve.min' = '1',
  'fields.reserve.max' = '500'
);

CREATE TEMPORARY TABLE seller_changes (
  seller_id BIGINT,
  name      STRING,
  stars     INT,
  changed   AS PROCTIME()
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '1',
  'fields.seller_id.min' = '1',
  'fields.seller_id.max' = '40',
  'fields.name.length' = '10',
  'fields.stars.min' = '1',
  'fields.stars.max' = '5'
);

CREATE TEMPORARY VIEW sellers AS
SELECT seller_id, name, stars
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY seller_id ORDER BY changed DESC) AS newest
  FROM seller_changes
)
WHERE newest = 1;

CREATE TEMPORARY TABLE search_index (
  listing_id   BIGINT,
  title        STRING,
  reserve      DECIMAL(10, 2),
  seller_name  STRING,
  seller_stars INT
) WITH (
  'connector' = 'blackhole'
);

INSERT INTO search_index
SELECT l.listing_id, l.title, l.reserve, s.name, s.stars
FROM listings AS l
LEFT JOIN sellers AS s ON l.seller_id = s.seller_id;

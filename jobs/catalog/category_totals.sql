-- Open listings and their worth per category, an upsert for every change: the numbers beside the category tree.

CREATE TEMPORARY TABLE listings (
  listing_id  STRING,
  category_no INT,
  reserve     DECIMAL(10, 2),
  category    AS CASE category_no
    WHEN 1 THEN 'books' WHEN 2 THEN 'bicycles' WHEN 3 THEN 'cameras' WHEN 4 THEN 'furniture' ELSE 'other'
  END
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '3',
  'fields.listing_id.length' = '10',
  'fields.category_no.min' = '1',
  'fields.category_no.max' = '5',
  'fields.reserve.min' = '1',
  'fields.reserve.max' = '500'
);

CREATE TEMPORARY TABLE category_totals (
  category STRING,
  listings BIGINT,
  worth    DECIMAL(20, 2),
  PRIMARY KEY (category) NOT ENFORCED
) WITH (
  'connector' = 'print',
  'print-identifier' = 'category-totals'
);

INSERT INTO category_totals
SELECT category, COUNT(*), SUM(reserve)
FROM listings
GROUP BY category;

CREATE TABLE numbers (n BIGINT) WITH (
  'connector' = 'datagen', 'rows-per-second' = '2', 'fields.n.min' = '1', 'fields.n.max' = '1000'
);
CREATE TABLE results (n BIGINT, answer BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO results SELECT n, n * n FROM numbers;

-- Greets somebody twice a second; `flinkform logs greetings` shows the job's own log.
CREATE TABLE people (
  id INT,
  name AS 'visitor ' || CAST(id AS STRING)
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '2',
  'fields.id.min' = '1',
  'fields.id.max' = '100'
);

CREATE TABLE greetings (
  greeting STRING
) WITH (
  'connector' = 'blackhole'
);

INSERT INTO greetings SELECT 'hello, ' || name FROM people;

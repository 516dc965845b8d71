\set SHOW_CONTEXT never
-- The columns of a row type change between calls of one call site: added, renamed, dropped, of another type.
CREATE TABLE altered (handle text, followers bigint, junk bigint);
INSERT INTO altered VALUES ('a', 1000000, 5);
DO $$
DECLARE
  r altered;
  got float8;
  steps text[] := ARRAY[
    (SELECT 'ALTER TABLE altered ' || string_agg(format('ADD COLUMN c%s int DEFAULT 5', i), ', ') FROM generate_series(1, 300) i),
    'ALTER TABLE altered RENAME followers TO others', 'ALTER TABLE altered RENAME junk TO followers',
    'ALTER TABLE altered ADD COLUMN posts int DEFAULT 850', 'ALTER TABLE altered DROP COLUMN posts',
    'ALTER TABLE altered ALTER COLUMN followers TYPE text'];
BEGIN
  FOR i IN 0 .. array_length(steps, 1) LOOP
    IF i > 0 THEN
      EXECUTE steps[i];
    END IF;
    SELECT * INTO r FROM altered;
    got := influence_score(r);
    RAISE NOTICE '% as by arguments: %', i, got = CASE
      WHEN i <= 1 THEN influence_score(handle => 'a', followers => 1000000)
      WHEN i = 2 THEN influence_score(handle => 'a')
      WHEN i = 4 THEN influence_score(handle => 'a', followers => 5, posts => 850)
      ELSE influence_score(handle => 'a', followers => 5) END;
  END LOOP;
END $$;
DROP TABLE altered;
-- Rows of several types at one call site.
DO $$
DECLARE
  r record;
BEGIN
  FOR i IN 1 .. 4 LOOP
    IF i % 2 = 0 THEN
      SELECT 9000 AS followers, 'food' AS category INTO r;
    ELSE
      SELECT 'food'::varchar AS category, 5 AS nothing, 9000.0 AS followers, NULL::text AS country INTO r;
    END IF;
    RAISE NOTICE '% as by arguments: %', i, influence_score(r) = influence_score(followers => 9000, category => 'food');
  END LOOP;
END $$;

\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT influence_score(followers => -3);
SELECT influence_cluster(followers => -3);
SELECT influence_score(r) FROM (SELECT 5 AS nothing) r;
SELECT influence_score(r) FROM (SELECT 5 AS country, 7 AS followers) r;
SELECT influence_score(r) FROM (SELECT 'many'::text AS followers) r;
SELECT influence_score_at('../../etc', followers => 1);
SELECT influence_score_at('20200101T000000Z-0000000000000000', followers => 1) IS NULL;
-- A version is an id: what `current` means changes.
SELECT influence_score_at('current', followers => 1);
SET influence.version = 'current';
SELECT influence_score(followers => 1);
RESET influence.version;
-- A function of another version of the extension: arguments go by their place.
CREATE FUNCTION older(followers double precision, category text) RETURNS double precision LANGUAGE C STABLE
AS 'influence', 'influence_score_arguments';
SELECT older(5, 'food');
DROP FUNCTION older(double precision, text);
-- Infinite days are missing, as no month is theirs.
SELECT influence_score(a) = influence_score(b) AS same
FROM (SELECT 9000 AS followers, 'infinity'::date AS snapshot) a, (SELECT 9000 AS followers, '-infinity'::timestamp AS snapshot) b;
SELECT * FROM influence_similar('nobody_at_all');
SELECT * FROM influence_similar('demo_0007', 0);
SELECT * FROM influence_similar('demo_0007', 100000);
-- Or NULL, when a table should not fail for one row.
SET influence.invalid_as_null = on;
SELECT influence_score(followers => -3) IS NULL AS score, influence_tier(r) IS NULL AS tier,
  influence_cluster(r) IS NULL AS cluster
FROM (SELECT 'many'::text AS followers) r;
RESET influence.invalid_as_null;
-- A statement is cancelled among its rows, of a set as well.
SET statement_timeout = '300ms';
SELECT sum(influence_score(followers => a + b)) FROM generate_series(1, 30000) a, generate_series(1, 30000) b;
SELECT count(s) FROM generate_series(1, 30000) a, generate_series(1, 30000) b, LATERAL (SELECT a + b AS followers) r, influence_similar(r) s;
RESET statement_timeout;
-- The session goes on as if nothing had been.
SELECT influence_score(followers => 900) > 0 AS alive;
SET influence.models = '/nowhere';
SELECT influence_model();
SET influence.models = '';
SELECT influence_score(followers => 900);

-- Contributions add up to the score.
SELECT abs(sum(contribution) - influence_score(followers => 50000, posts => 300, avg_likes => 900)) < 1e-4 AS adds_up,
  min(feature) FILTER (WHERE feature = '(base)') AS base
FROM influence_explain(followers => 50000, posts => 300, avg_likes => 900);
-- Neighbours: k of them, nearest first, never the account itself; filters never shorten the list silently.
SELECT count(*), bool_and(similarity > 0 AND similarity <= 1) AS similar,
  bool_and(handle <> 'demo_0007') AS others FROM influence_similar('demo_0007', 5);
SELECT count(*) FROM influence_similar('demo_0007');
SELECT bool_and(a.distance <= b.distance) AS nearest_first
FROM (SELECT *, row_number() OVER () AS i FROM influence_similar('demo_0007', 20)) a
JOIN (SELECT *, row_number() OVER () AS i FROM influence_similar('demo_0007', 20)) b ON b.i = a.i + 1;
SELECT count(*) FROM creators c, LATERAL influence_similar(c, 3) s;
-- All may run in parallel workers; those of a version are immutable, those of the current one stable.
SELECT p.proname, array_agg(DISTINCT p.provolatile) AS volatile, array_agg(DISTINCT p.proparallel) AS parallel, count(*)
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'influence' GROUP BY 1 ORDER BY 1;
-- A version never changes: its answers may be stored and indexed.
SELECT influence_model() AS version \gset
CREATE INDEX ON creators (influence_score_at(:'version', followers => followers, posts => posts));
-- By row it is not: columns are found by their names, which may change under an index.
CREATE INDEX ON creators (influence_score_at(:'version', creators));
-- What `influence import` writes into a table is read as what it is.
SELECT influence_score(a) = influence_score(b) AS same, influence_score(a) <> influence_score(c) AS matters
FROM (SELECT 9000 AS followers, 0.03 AS engagement_rate) a, (SELECT 9000 AS followers, 0.03 AS "engagement_rate (fraction)") b,
  (SELECT 9000 AS followers) c;
-- Numbers under other names are told once a call site: not keys, not texts, not what is a field.
SELECT count(influence_score(r)) FROM (SELECT i AS followers, i AS "Likes_avg", i AS post_id, i AS age, 5.0 AS "newPostViews", 'x' AS likes
  FROM generate_series(1, 3) i) r;

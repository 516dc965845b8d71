-- Every type that a column may have, and NULL as missing.
SELECT influence_model() ~ '^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{16}$' AS has_version, influence_version();
CREATE TABLE creators (handle text, followers bigint, following int2, posts int4, avg_likes numeric(12, 2),
  avg_comments real, engagement_rate double precision, is_verified boolean, category varchar(20), country text,
  snapshot date, "other column" text);
INSERT INTO creators VALUES
  ('a', 1200000, 300, 850, 41000.50, 120, 0.034, true, 'fashion', 'Spain', '2025-03-15', 'x'),
  ('b', 900, 1200, 40, 30, NULL, NULL, false, NULL, NULL, NULL, NULL),
  (NULL, NULL, NULL, NULL, 55.5, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- By row, by named arguments, by version: the same answer.
SELECT handle,
  influence_score(c) = influence_score(handle => handle, followers => followers, following => following, posts => posts,
    avg_likes => avg_likes::float8, avg_comments => avg_comments, engagement_rate => engagement_rate,
    is_verified => is_verified::int, category => category, country => country,
    snapshot => extract(year from snapshot)::float8 * 12 + extract(month from snapshot)::float8 - 1) AS same_by_name,
  influence_score(c) = influence_score_at(influence_model(), c) AS same_by_version,
  influence_score(c) = (influence_predict(c)).score AS same_in_row,
  influence_tier(c) = (influence_predict(c)).tier AS same_tier,
  influence_cluster(c) = (influence_predict(c)).cluster AS same_cluster
FROM creators c ORDER BY handle;
-- Texts are read as people write numbers.
SELECT influence_score(r) = influence_score(followers => 1200000, engagement_rate => 0.034) AS same
FROM (SELECT '1.2M'::text AS followers, '3.4%'::varchar AS engagement_rate) r;
-- An archetype by row, by named arguments and by version.
SELECT handle, influence_cluster(c) BETWEEN 0 AND 50 AS is_number,
  influence_cluster(c) = influence_cluster(handle => handle, followers => followers, following => following, posts => posts,
    avg_likes => avg_likes::float8, avg_comments => avg_comments, engagement_rate => engagement_rate,
    is_verified => is_verified::int, category => category, country => country,
    snapshot => extract(year from snapshot)::float8 * 12 + extract(month from snapshot)::float8 - 1) AS same_by_name,
  influence_cluster(c) = influence_cluster_at(influence_model(), c) AS same_by_version,
  influence_cluster_at(influence_model(), followers => 5) = influence_cluster(followers => 5) AS same_of_version_by_name
FROM creators c ORDER BY handle;
-- NULL in, NULL out.
SELECT influence_score(NULL::creators) IS NULL AS score, influence_tier(NULL::creators) IS NULL AS tier,
  influence_cluster(NULL::creators) IS NULL AS cluster, influence_score_at(NULL, c) IS NULL AS version,
  influence_cluster_at(NULL, c) IS NULL AS version_of_cluster FROM creators c LIMIT 1;
SELECT count(*) FROM influence_similar(NULL::text);

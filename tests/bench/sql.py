#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What scoring in SQL costs beside the library itself, in one run.

    tests/bench/sql.py URI [ROWS]     URI of a database with the extension "influence" and influence.models set

Makes a temporary table, scores it in one process, and prints the time a row.
"""

import re
import subprocess
import sys

ROWS = """
CREATE TEMP TABLE bench AS SELECT 'acct_' || i AS handle, exp(random() * 6 + 6)::bigint AS followers,
  (random() * 1000)::int AS following, (random() * 3000)::int AS posts, exp(random() * 5 + 2)::float8 AS avg_likes,
  (array['fashion', 'food', 'travel'])[1 + i % 3] AS category FROM generate_series(1, {rows}) i;
ANALYZE bench;
SELECT influence_score(b) FROM bench b LIMIT 1;
SET max_parallel_workers_per_gather = 0;
"""
QUERIES = {
    "reading the rows": "SELECT sum(followers + following + posts + avg_likes) FROM bench",
    "influence_score(row)": "SELECT sum(influence_score(b)) FROM bench b",
    "influence_score(named)": "SELECT sum(influence_score(followers => followers, following => following, posts => posts,"
    " avg_likes => avg_likes, category => category)) FROM bench",
    "influence_predict(row)": "SELECT sum((influence_predict(b)).score) FROM bench b",
}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    uri, rows = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300000
    script = ROWS.format(rows=rows) + "\\timing on\n" + "".join(3 * f"{query};\n" for query in QUERIES.values())
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", uri], input=script, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    times = [float(ms) for ms in re.findall(r"Time: ([\d.]+) ms", done.stdout)]
    print(f"{rows} rows, the best of three")
    for i, name in enumerate(QUERIES):
        print(f"  {name:26} {1000 * min(times[3 * i : 3 * i + 3]) / rows:7.3f} us a row")


if __name__ == "__main__":
    main()

# ruff: noqa: E501, S608 -- a table of scripts reads best one a line
"""Edits of SQL: what each does to the state of the job that runs it."""

from __future__ import annotations

from dataclasses import dataclass

TABLES = """
CREATE TABLE a (n BIGINT, k AS MOD(n, 4), v AS n, pt AS PROCTIME(), ts AS TO_TIMESTAMP_LTZ(n * 100, 3),
    WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
    'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '100000');
CREATE TABLE b (m BIGINT, k AS MOD(m, 4), ts AS TO_TIMESTAMP_LTZ(m * 100, 3),
    WATERMARK FOR ts AS ts - INTERVAL '1' SECOND, PRIMARY KEY (m) NOT ENFORCED) WITH ('connector' = 'datagen',
    'rows-per-second' = '100', 'fields.m.kind' = 'sequence', 'fields.m.start' = '1', 'fields.m.end' = '100000');
CREATE TABLE c (x BIGINT, y STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '1');
CREATE TABLE o (p BIGINT, q BIGINT, r BIGINT) WITH ('connector' = 'blackhole');
CREATE TABLE u (p BIGINT, q BIGINT, r BIGINT, PRIMARY KEY (p) NOT ENFORCED) WITH ('connector' = 'blackhole');
CREATE TABLE l (p BIGINT, q BIGINT) WITH ('connector' = 'blackhole');
"""
AGGREGATE = "INSERT INTO o SELECT k, COUNT(*), SUM(v) FROM a GROUP BY k"
JOIN = "INSERT INTO o SELECT g.k, g.c, b.m FROM (SELECT k, COUNT(*) AS c, SUM(v) AS s FROM a GROUP BY k) g JOIN b ON g.k = b.k"
PLAIN = "INSERT INTO o SELECT a.n, a.v, b.m FROM a JOIN b ON a.k = b.k"
WINDOW = """INSERT INTO l SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '5' SECOND))
    GROUP BY window_start, window_end, k"""
SESSION = """INSERT INTO l SELECT k, SUM(v) FROM TABLE(SESSION(TABLE a PARTITION BY k, DESCRIPTOR(ts),
    INTERVAL '5' SECOND)) GROUP BY window_start, window_end, k"""
GROUPED = "INSERT INTO l SELECT k, COUNT(*) FROM a GROUP BY TUMBLE(ts, INTERVAL '5' SECOND), k"
TOP = """INSERT INTO o SELECT k, n, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) AS i FROM a)
    WHERE i <= 3"""
FIRST = """INSERT INTO o SELECT k, n, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY pt) AS i FROM a)
    WHERE i = 1"""
OVER = """INSERT INTO o SELECT k, COUNT(*) OVER w, SUM(v) OVER w FROM a
    WINDOW w AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 5 PRECEDING AND CURRENT ROW)"""
BESIDE = """INSERT INTO o SELECT k, MAX(c), SUM(x) FROM (SELECT k, 7 AS x, COUNT(*) OVER w AS c FROM a
    WINDOW w AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 5 PRECEDING AND CURRENT ROW)) GROUP BY k"""
INTERVAL = """INSERT INTO o SELECT a.k, a.n, b.m FROM a JOIN b ON a.k = b.k
    AND a.ts BETWEEN b.ts - INTERVAL '5' SECOND AND b.ts"""
TEMPORAL = "INSERT INTO o SELECT a.k, a.n, b.m FROM a JOIN b FOR SYSTEM_TIME AS OF a.ts ON a.n = b.m"
MATCH = """INSERT INTO o SELECT k, x, y FROM a MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts
    MEASURES A.n AS x, B.n AS y AFTER MATCH SKIP PAST LAST ROW PATTERN (A B) DEFINE A AS A.n > 0, B AS B.n > A.n)"""
WINDOWS = """INSERT INTO o SELECT x.k, x.n, y.m FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '5' SECOND)) x
    JOIN TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '5' SECOND)) y
    ON x.k = y.k AND x.window_start = y.window_start AND x.window_end = y.window_end"""
UPSERT = "INSERT INTO u SELECT g.k, g.c, b.m FROM (SELECT k, COUNT(*) AS c FROM a GROUP BY k) g JOIN b ON g.k = b.k ON CONFLICT DO DEDUPLICATE"
UNION = "INSERT INTO o SELECT k, COUNT(*), SUM(v) FROM (SELECT k, v FROM a UNION ALL SELECT k, m FROM b) GROUP BY k"
NESTED = "INSERT INTO l SELECT c, COUNT(*) FROM (SELECT k, COUNT(*) AS c FROM a GROUP BY k) GROUP BY c"
GROUPS = "SELECT k, COUNT(*) AS c FROM a GROUP BY k"
TWICE = f"INSERT INTO l SELECT c, COUNT(*) FROM ({GROUPS} UNION ALL {GROUPS}) GROUP BY c"
DISTINCT = "INSERT INTO l SELECT DISTINCT k, v FROM a"
BATCHES = (
    "SET 'table.exec.mini-batch.enabled' = 'true'; SET 'table.exec.mini-batch.allow-latency' = '1 s'; "
    "SET 'table.exec.mini-batch.size' = '100';"
)
ZONED = "INSERT INTO l SELECT day_, COUNT(*) FROM (SELECT EXTRACT(DAY FROM CAST(ts AS TIMESTAMP(3))) AS day_ FROM a) GROUP BY day_"
TTL = "SET 'table.exec.state.ttl' = '1 h';"


@dataclass(frozen=True, slots=True)
class Edit:
    """Two scripts, the verdict, and the operators that are dropped and new, by label.

    *cautious* says why state could be kept that the verdict drops, where that is so.
    """

    name: str
    old: str
    new: str
    verdict: str
    dropped: tuple[str, ...] = ()
    new_ones: tuple[str, ...] = ()
    cautious: str = ""

    @property
    def scripts(self) -> tuple[str, str]:
        return TABLES + self.old, TABLES + self.new


CAUTIOUS = {
    "distinct": "the keys are the same, in another order",
    "swapped keys": "the keys are the same, in another order",
    "mini batches": "the second of two phases keeps what the only one did",
    "temporal join, left": "both sides are kept in the same way",
}
"""Edits whose verdict drops state that an operator of another form could take over, and why."""


def _edit(name: str, old: str, change: tuple[str, str] | str, verdict: str, *fates: str) -> Edit:
    """*change* is the new script, or a text in the old one and what stands there instead; fates: `-join`, `+join`."""
    new = change if isinstance(change, str) else old.replace(*change)
    assert new != old
    dropped = tuple(sorted(f[1:] for f in fates if f[0] == "-"))
    fresh = tuple(sorted(f[1:] for f in fates if f[0] == "+"))
    return Edit(name, old, new, verdict, dropped, fresh, CAUTIOUS.get(name, ""))


EDITS = [
    # what people call things, and how they lay it out
    _edit("comment", AGGREGATE, "-- why\n" + AGGREGATE, "same"),
    _edit("alias", AGGREGATE, ("v) FROM a", "z.v) AS t FROM a AS z"), "same"),
    _edit("subquery", AGGREGATE, "INSERT INTO o SELECT * FROM (SELECT k, COUNT(*), SUM(v) FROM a GROUP BY k)", "same"),
    _edit(
        "view",
        AGGREGATE,
        "CREATE VIEW w AS SELECT k AS kk, v AS vv FROM a; INSERT INTO o SELECT kk, COUNT(*), SUM(vv) FROM w GROUP BY kk",
        "same",
    ),
    _edit("statement set", AGGREGATE, f"EXECUTE STATEMENT SET BEGIN {AGGREGATE}; END", "same"),
    # what is done with results
    _edit("reordered", AGGREGATE, ("COUNT(*), SUM(v)", "SUM(v), COUNT(*)"), "compatible"),
    _edit("constant", AGGREGATE, ("SUM(v) FROM", "SUM(v) + 1 FROM"), "compatible"),
    _edit("having", AGGREGATE, AGGREGATE + " HAVING COUNT(*) > 3", "compatible"),
    _edit("another sink", AGGREGATE, AGGREGATE + "; INSERT INTO l SELECT k, n FROM a WHERE n > 5", "compatible"),
    _edit("sink of results", AGGREGATE, AGGREGATE + "; INSERT INTO l SELECT k, SUM(v) FROM a GROUP BY k", "partly", "+aggregate"),
    _edit("other sink", AGGREGATE, ("INTO o", "INTO u"), "compatible"),
    # what is read
    _edit("filter", AGGREGATE, ("FROM a", "FROM a WHERE n > 7"), "compatible"),
    _edit("hint", AGGREGATE, ("FROM a", "FROM a /*+ OPTIONS('fields.n.start' = '7') */"), "lost", "-aggregate", "-source", "+aggregate", "+source"),
    _edit("time zone", ZONED, "SET 'table.local-time-zone' = 'Asia/Tokyo';" + ZONED, "lost", "-aggregate", "+aggregate"),
    _edit("mini batches, alias", BATCHES + AGGREGATE, ("v) FROM a", "z.v) AS t FROM a AS z"), "same"),
    _edit("other option", AGGREGATE, "SET 'pipeline.operator-chaining.enabled' = 'false';" + AGGREGATE, "same"),
    _edit("time column", WINDOW, TABLES.partition("CREATE TABLE b")[0].replace("TABLE a", "TABLE a2").replace("n * 100", "n * 200") + WINDOW.replace("TABLE a", "TABLE a2"), "lost", "-window aggregate", "+window aggregate"),
    _edit("speed", AGGREGATE, "ALTER TABLE a SET ('rows-per-second' = '7');" + AGGREGATE, "same"),
    _edit("other table", AGGREGATE, AGGREGATE.replace("v", "m").replace("a G", "b G"), "lost", "-aggregate", "-source", "+aggregate", "+source"),
    _edit("other generator", AGGREGATE, "ALTER TABLE a SET ('fields.n.start' = '7');" + AGGREGATE, "lost", "-aggregate", "-source", "+aggregate", "+source"),
    # what is computed
    _edit("sum to max", AGGREGATE, ("SUM", "MAX"), "lost", "-aggregate", "+aggregate"),
    _edit("sum to min", AGGREGATE, ("SUM", "MIN"), "lost", "-aggregate", "+aggregate"),
    _edit("sum of another", AGGREGATE, ("SUM(v)", "SUM(v * 2)"), "lost", "-aggregate", "+aggregate"),
    _edit("count of another", AGGREGATE, ("COUNT(*)", "COUNT(DISTINCT v)"), "lost", "-aggregate", "+aggregate"),
    _edit("filtered sum", AGGREGATE, ("SUM(v)", "SUM(v) FILTER (WHERE n > 3)"), "lost", "-aggregate", "+aggregate"),
    _edit("one more function", AGGREGATE, ("COUNT(*)", "COUNT(*) + MAX(n)"), "lost", "-aggregate", "+aggregate"),
    _edit("other key", AGGREGATE, AGGREGATE.replace("k,", "MOD(n, 5),").replace("BY k", "BY MOD(n, 5)"), "lost", "-aggregate", "+aggregate"),
    _edit("swapped keys", "INSERT INTO l SELECT v, COUNT(*) FROM a GROUP BY v, k", ("v, k", "k, v"), "lost", "-aggregate", "+aggregate"),
    _edit("expiry on", AGGREGATE, TTL + AGGREGATE, "compatible"),
    _edit("expiry off", TTL + AGGREGATE, AGGREGATE, "compatible"),
    _edit("expiry on, sum to max", AGGREGATE, TTL + AGGREGATE.replace("SUM", "MAX"), "lost", "-aggregate", "+aggregate"),
    _edit("longer expiry", TTL + AGGREGATE, ("1 h", "5 h"), "same"),
    _edit("mini batches", AGGREGATE, BATCHES + AGGREGATE, "lost", "-aggregate", "+aggregate"),
    _edit("mini batches, filter", BATCHES + AGGREGATE, (" GROUP", " WHERE n > 5 GROUP"), "compatible"),
    _edit("mini batches, max", BATCHES + AGGREGATE, ("SUM", "MAX"), "lost", "-aggregate", "+aggregate"),
    _edit("distinct", DISTINCT, ("k, v FROM", "v, k FROM"), "lost", "-aggregate", "+aggregate"),
    _edit("filter before the first of two", NESTED, ("FROM a", "FROM a WHERE n > 3"), "compatible"),
    _edit("filter between two", NESTED, (") GROUP BY c", ") WHERE c > 3 GROUP BY c"), "partly", "-aggregate", "+aggregate"),
    _edit("one of two in a set", AGGREGATE + "; INSERT INTO l SELECT k, SUM(n) FROM a GROUP BY k, n", (" l SELECT k, SUM", " l SELECT k, MIN"), "partly", "-aggregate", "+aggregate"),
    _edit("one of two away", AGGREGATE + "; INSERT INTO l SELECT k, SUM(n) FROM a GROUP BY k, n", AGGREGATE, "partly", "-aggregate"),
    _edit("one more branch", UNION, UNION.replace("FROM b)", "FROM b UNION ALL SELECT CAST(x AS INT), x FROM c)"), "compatible", "+source"),
    _edit("the same branch twice", UNION, ("FROM b)", "FROM b UNION ALL SELECT k, v FROM a)"), "compatible"),
    _edit("changing rows twice", NESTED, TWICE, "partly", "-aggregate", "+aggregate"),
    _edit("changing rows once again", TWICE, NESTED, "partly", "-aggregate", "+aggregate"),
    # joins
    _edit("join, same", JOIN, ("AS s FROM", "AS total FROM"), "same"),
    _edit("join, filter before", PLAIN, ("b.k", "b.k WHERE a.n > 5"), "compatible"),
    _edit("join, filter behind", PLAIN, ("b.k", "b.k WHERE a.n > b.m"), "lost", "-join", "+join"),
    _edit("join, left", PLAIN, ("a JOIN", "a LEFT JOIN"), "lost", "-join", "+join"),
    _edit("join, other key", PLAIN, ("a.k = b.k", "a.n = b.m"), "lost", "-join", "+join"),
    _edit("join, swapped", PLAIN, ("a.n, a.v, b.m", "b.m, a.n, a.v"), "compatible"),
    _edit("join, one more", AGGREGATE, JOIN.replace("g.c, b.m", "g.c, g.s"), "partly", "+join", "+source"),
    _edit("join, one more behind", PLAIN, ("b.k", "b.k JOIN c ON a.k = c.x"), "partly", "+join", "+source"),
    _edit("join, one less", PLAIN, "INSERT INTO o SELECT n, v, v FROM a", "lost", "-join", "-source"),
    _edit("join, filter between", JOIN, JOIN + " WHERE g.c > 3", "partly"),
    _edit("join, max before", JOIN, ("COUNT(*) AS c", "MAX(n) AS c"), "lost", "-aggregate", "-join", "+aggregate", "+join"),
    _edit("interval join, filter", INTERVAL, ("SECOND AND b.ts", "SECOND AND b.ts AND a.n > 3"), "compatible"),
    _edit("interval join, wider", INTERVAL, ("'5'", "'6'"), "lost", "-interval join", "+interval join"),
    _edit("temporal join, filter", TEMPORAL, TEMPORAL + " WHERE a.n > 3", "compatible"),
    _edit("temporal join, left", TEMPORAL, ("a JOIN", "a LEFT JOIN"), "lost", "-temporal join", "+temporal join"),
    _edit("upsert, constant", UPSERT, ("g.k, g.c, b.m FROM", "g.k, g.c + 1, b.m FROM"), "partly", "-sink", "+sink"),
    _edit("upsert, filter before", UPSERT, ("FROM a", "FROM a WHERE n > 3"), "compatible"),
    # windows
    _edit("window, filter", WINDOW, ("GROUP BY w", "WHERE n > 3 GROUP BY w"), "compatible"),
    _edit("window, size", WINDOW, ("'5'", "'6'"), "lost", "-window aggregate", "+window aggregate"),
    _edit("window, hop", WINDOW, WINDOW.replace("TUMBLE", "HOP").replace("INTERVAL", "INTERVAL '1' SECOND, INTERVAL"), "lost", "-window aggregate", "+window aggregate"),
    _edit("window, sum", WINDOW, ("COUNT(*)", "SUM(n)"), "lost", "-window aggregate", "+window aggregate"),
    _edit("window, bounds", WINDOW, ("k, COUNT(*)", "k, COUNT(*) + 1"), "compatible"),
    _edit("window, older form", WINDOW, GROUPED, "lost", "-window aggregate", "+window aggregate"),
    _edit("session, gap", SESSION, ("'5'", "'6'"), "lost", "-window aggregate", "+window aggregate"),
    _edit("session, filter", SESSION, ("GROUP BY w", "WHERE n > 3 GROUP BY w"), "compatible"),
    _edit("session, alias", SESSION, ("SUM(v)", "SUM(v) AS t"), "same"),
    _edit("older window, filter", GROUPED, ("FROM a", "FROM a WHERE n > 3"), "compatible"),
    _edit("older window, size", GROUPED, ("'5'", "'6'"), "lost", "-window aggregate", "+window aggregate"),
    _edit("window join, size", WINDOWS, ("'5'", "'6'"), "lost", "-window join", "+window join"),
    _edit("window join, filter", WINDOWS, WINDOWS + " WHERE x.n > 3", "compatible"),
    _edit("watermark", WINDOW, TABLES.partition("CREATE TABLE b")[0].replace("TABLE a", "TABLE a2").replace("'1' S", "'3' S") + WINDOW.replace("TABLE a", "TABLE a2"), "compatible"),
    # order
    _edit("Top-N, more", TOP, ("<= 3", "<= 4"), "lost", "-Top-N", "+Top-N"),
    _edit("Top-N, order", TOP, ("v DESC", "v"), "lost", "-Top-N", "+Top-N"),
    _edit("Top-N, filter", TOP, ("FROM a)", "FROM a WHERE n > 3)"), "compatible"),
    _edit("deduplication, filter", FIRST, ("FROM a)", "FROM a WHERE n > 3)"), "compatible"),
    _edit("deduplication, last", FIRST, ("pt)", "pt DESC)"), "lost", "-deduplication", "+deduplication"),
    _edit("over, frame", OVER, ("5 PRE", "6 PRE"), "lost", "-over aggregate", "+over aggregate"),
    _edit("over, constant beside", OVER.replace("SELECT k,", "SELECT 7,"), ("SELECT 7,", "SELECT 8,"), "compatible"),
    _edit("over, column beside", OVER, ("SELECT k,", "SELECT MOD(n, 7),"), "compatible"),
    _edit("over, constant summed behind", BESIDE, ("7 AS x", "8 AS x"), "partly", "-aggregate", "+aggregate"),
    _edit("over, key", OVER, ("BY k", "BY MOD(n, 5)"), "lost", "-over aggregate", "+over aggregate"),
    _edit("over, filter", OVER, ("FROM a", "FROM a WHERE n > 3"), "compatible"),
    _edit("match, alias", MATCH, MATCH.replace("x, y", "fst, snd").replace("AS x", "AS fst").replace("AS y", "AS snd"), "same"),
    _edit("match, pattern", MATCH, ("(A B)", "(A B C)"), "lost", "-pattern match", "+pattern match"),
    _edit("match, condition", MATCH, ("A.n > 0", "A.n > 1"), "lost", "-pattern match", "+pattern match"),
]  # fmt: skip

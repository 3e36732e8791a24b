"""What a script includes and names is put in, and every character of the result knows where it was written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flinkform import jobfile
from flinkform.errors import Invalid
from flinkform.jobfile.weave import Source, Woven, escaped, weave
from tests.unit.jobfile.conftest import Site

JOBS = Path("jobs")
PARTS = st.sampled_from(
    ["${x}", "$${x}", "$", "{", "'", "`", "--", "/*", "*/", "//", "\n", "x", "${secret_values.x}", "é"]
)


def woven(text: str, **variables: str) -> Woven:
    return weave(text, "n/a.sql", Source(str, (), str), variables)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM ${x}, '${x}', `${x}`", "FROM it's, 'it''s', `it's`"),
        ("$${x} '$${x}' $$${x}", "${x} '${x}' $${x}"),
        ("-- ${x}\n// ${y} $${x}\n/* ${y} */", "-- ${x}\n// ${y} $${x}\n/* ${y} */"),
        ("/*+ OPTIONS('a'='${x}') */", "/*+ OPTIONS('a'='it''s') */"),
        ("'-- ${x}' '/*' ${x}", "'-- it''s' '/*' it's"),
        ("${secret_values.x} ${} ${ x} %{x} ${1} ${x", "${secret_values.x} ${} ${ x} %{x} ${1} ${x"),
        ("'a''b ${x}", "'a''b it''s"),
    ],
)
def test_variables_are_put_in(text: str, found: str) -> None:
    """In strings with their quotes doubled; in comments nothing, nor what is none of ours."""
    assert woven(text, x="it's").text == found


@given(st.lists(PARTS).map("".join))
def test_any_text_can_be_written(text: str) -> None:
    """What is exported gives the very script back."""
    assert woven(escaped(text)).text == text


@given(st.lists(PARTS).map("".join), st.text(alphabet="ab\n'${}é", max_size=6))
def test_every_character_has_its_place(text: str, value: str) -> None:
    """That of a value is where its variable stands, that of any other where it is written."""
    found = woven(text, x=value)
    lines = text.split("\n")
    for offset, char in enumerate(found.text):
        place = found.origin(offset)
        written = f"{lines[place.line - 1]}\n"[place.column - 1 :]
        assert written.startswith((char, "${x}"))


@pytest.fixture
def shop(site: Site) -> Site:
    """A job that includes a file of its team, and one that all share."""
    site.write("jobs/_defaults.yaml", "variables: {topic: bids, rate: 2}\n")
    site.write("jobs/shop/_tables.inc", "-- flinkform: include ../shared/orders.inc\r\nCREATE TABLE t (a INT);")
    site.write(
        "jobs/shared/orders.inc", "\ufeffCREATE TABLE o (b INT) WITH ('topic' = '${topic}',\n  'rate' = '${rate}');\n"
    )
    site.write("jobs/shop/a.sql", "SET 'x' = '${rate}';\n  --flinkform: include _tables.inc\nSELECT o.b FROM o, t;\n")
    return site


def only(environment: str = "") -> jobfile.Job:
    (job,) = jobfile.load(JOBS, environment=Path(environment) if environment else None)
    return job


@pytest.mark.usefixtures("shop")
def test_includes_are_put_in() -> None:
    """From the file that names them, each to the byte but for its mark, and with the variables of the job."""
    job = only()
    assert job.values["sql"] == (
        "SET 'x' = '2';\nCREATE TABLE o (b INT) WITH ('topic' = 'bids',\n  'rate' = '2');\nCREATE TABLE t (a INT);\n"
        "SELECT o.b FROM o, t;\n"
    )
    assert job.values["flink_options"] == {"x": "2"}
    assert "variables" not in job.values
    assert job.woven
    assert job.woven.included == ("shop/_tables.inc", "shared/orders.inc")
    assert job.woven.used == {"topic", "rate"}
    places = [str(job.woven.place(line, column)) for line, column in ((1, 1), (1, 12), (2, 1), (3, 14), (4, 1), (5, 8))]
    assert places == [
        "jobs/shop/a.sql:1:1",
        "jobs/shop/a.sql:1:12",
        "jobs/shared/orders.inc:1:1",
        "jobs/shared/orders.inc:2:20",
        "jobs/shop/_tables.inc:2:1",
        "jobs/shop/a.sql:3:8",
    ]
    assert job.woven.line(job.woven.place(3, 14)) == "  'rate' = '${rate}');"


def test_a_path_may_begin_at_the_folder_of_jobs(shop: Site) -> None:
    """With a slash in front."""
    shop.write("jobs/shop/a.sql", "-- flinkform: include /shared/orders.inc\n-- flinkform: include /shared/orders.inc")
    assert only().values["sql"].count("CREATE TABLE o") == 2


def test_environments_set_variables_where_they_may(shop: Site) -> None:
    """As the schema says; a variable that is taken away stands for nothing."""
    shop.write("environments/dev.yaml", "jobs: [{match: ['**'], variables: {topic: dev.bids}}]\n")
    with pytest.raises(Invalid, match="the key 'variables' may not differ between environments"):
        only("environments/dev.yaml")
    shop.write("environments/schema.yaml", "jobs: [variables]\n")
    assert only("environments/dev.yaml").variables == {"topic": "dev.bids", "rate": "2"}
    assert "'dev.bids'" in only("environments/dev.yaml").values["sql"]
    shop.write("jobs/shop/a.yaml", "variables: {rate: null}\n")
    with pytest.raises(
        Invalid, match=r"^jobs/shop/a.sql:1:12: nothing says what \$\{rate\} stands for; there are topic; "
    ):
        only()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x\n-- flinkform: include ../none.inc", "2:23: there is no file jobs/none.inc; paths are from the file"),
        ("-- flinkform: include ../../x.inc", "1:23: ../../x.inc leaves the folder of jobs; put what jobs share"),
        (
            "-- flinkform: include ../shop/b.sql",
            "1:23: expected a file that ends with .inc, got '../shop/b.sql'; a .sql",
        ),
        ("-- flinkform: include", "1:22: expected a file that ends with .inc, got ''"),
        (
            "SELECT '${rates}'",
            "1:9: nothing says what ${rates} stands for; there are rate, topic; set it under variables",
        ),
    ],
)
def test_what_cannot_be_is_told_at_its_place(shop: Site, text: str, message: str) -> None:
    """File, line and column of the script, and what to do."""
    shop.write("jobs/shop/a.sql", text)
    with pytest.raises(Invalid) as told:
        only()
    assert str(told.value).startswith(f"jobs/shop/a.sql:{message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"-- flinkform: include _tables.inc", "1:23: a circle: shop/_tables.inc includes shop/_tables.inc"),
        (b"\xff", "1:1: expected UTF-8, got the byte 0xff"),
        (b"version https://git-lfs.github.com/spec/v1\n", "1:1: expected a script, got a pointer of Git LFS; run"),
        (b"x" * (1 << 20) + b"x", "1:1: expected at most 1,048,576 bytes, got more"),
        (b"SELECT ${nothing}", "1:8: nothing says what ${nothing} stands for"),
    ],
)
def test_what_is_wrong_with_an_included_file_is_told_there(shop: Site, content: bytes, message: str) -> None:
    """Not at the script that includes it."""
    shop.write("jobs/shop/_tables.inc", content)
    with pytest.raises(Invalid) as told:
        only()
    assert str(told.value).startswith(f"jobs/shop/_tables.inc:{message}")


def test_includes_end(shop: Site) -> None:
    """They are not too deep, not too many and not too much, whatever includes what."""
    for depth in range(10):
        shop.write(f"jobs/shop/d{depth}.inc", f"-- flinkform: include d{depth + 1}.inc\n")
    shop.write("jobs/shop/d10.inc", "SELECT 1")
    for name, line, times in (("a", "d0.inc", 1), ("a", "d9.inc", 150), ("a", "big.inc", 12)):
        shop.write("jobs/shop/big.inc", "x" * 100_000)
        shop.write(f"jobs/shop/{name}.sql", f"-- flinkform: include {line}\n" * times)
        with pytest.raises(Invalid, match=r"at most (8 levels|200 includes|1,048,576 characters)"):
            only()


def test_a_variable_has_a_name(shop: Site) -> None:
    """One that a script can write."""
    shop.write("jobs/shop/a.yaml", "variables: {a.b: x}\n")
    with pytest.raises(Invalid, match=r"jobs/shop/a.yaml:1:13: expected a name of letters, digits and _, got 'a.b'"):
        only()

"""Git is run with nothing of the shell's, and what a repository holds is read to the byte or refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flinkform.errors import Invalid, Missing, NotFound
from flinkform.release.git import MODULE, Change, Entry, Repository
from flinkform.release.tree import CommitTree, below
from tests.unit.release.conftest import SQL, Site

NAMES = (
    "jobs/a/plain.sql",
    "jobs/a/with space.sql",
    "jobs/a/-dash.sql",
    "jobs/a/new\nline.sql",
    "jobs/a/quo\"te's.sql",
    "jobs/a/ключ.sql",
    "jobs/a/:(glob)*.sql",
    "jobs/a/" + "/".join(f"d{n}" for n in range(30)) + "/deep.sql",
)


Tree = Callable[[str], CommitTree]


@pytest.fixture
def tree(site: Site) -> Iterator[Tree]:
    """The jobs folder of a commit."""
    site.commit({})
    with site.repository.objects() as objects:
        yield lambda commit: CommitTree(objects, below(site.repository.tree(commit), "jobs"), "jobs")


def test_names_and_contents_come_back_to_the_byte(site: Site) -> None:
    """Whatever a file is called, it is listed under its name and read as it is."""
    contents = {name: f"-- {number}\r\n".encode() * (number + 1) for number, name in enumerate(NAMES)}
    commit = site.commit(contents)
    repository = site.repository
    entries = repository.tree(commit, "jobs")
    assert set(entries) == set(NAMES)
    with repository.objects() as objects:
        read = dict(objects.read((entry.object for entry in entries.values()), 10_000))
    assert {name: read[entry.object] for name, entry in entries.items()} == contents


def test_many_objects_are_read_in_their_order(site: Site) -> None:
    """More than fit one round, big and small ones mixed."""
    commit = site.commit({f"jobs/a/{n}.sql": f"{n}\n" * (1 + n % 7 * 900) for n in range(900)})
    repository = site.repository
    entries = repository.tree(commit)
    with repository.objects() as objects:
        found = [data for _, data in objects.read((entries[f"jobs/a/{n}.sql"].object for n in range(900)), 1 << 20)]
    assert [data.split(b"\n")[0] for data in found if data] == [str(n).encode() for n in range(900)]


def test_a_file_that_is_too_large_is_passed_by(site: Site, tree: Tree) -> None:
    """It is told to be so, nothing of it is held, and what comes after it is read right."""
    commit = site.commit({"jobs/a/large.sql": b"x" * 5_000_000, "jobs/a/small.sql": "small"})
    repository = site.repository
    entries = repository.tree(commit)
    with repository.objects() as objects:
        names = [entries[f"jobs/a/{name}.sql"].object for name in ("large", "small")]
        assert [data for _, data in objects.read(names, 1000)] == [None, b"small"]
    with pytest.raises(Invalid, match=r"jobs/a/large\.sql:1:1: expected at most 1,000 bytes"):
        tree(commit).read("a/large.sql", 1000)


@pytest.mark.parametrize("revision", ["", "-n1", "--all", "a\nb", "\0"])
def test_a_revision_is_no_option(site: Site, revision: str) -> None:
    """What could be taken for one, or for two lines, is refused before git sees it."""
    site.commit({})
    with pytest.raises(Invalid, match="expected a commit, branch or tag"):
        site.repository.resolve(revision)


def test_a_revision_that_is_none_says_so(site: Site) -> None:
    """Its name is told."""
    site.commit({})
    with pytest.raises(NotFound, match="there is no commit 'gone'"):
        site.repository.resolve("gone")
    with pytest.raises(NotFound, match="there is no commit 'HEAD:jobs'"):
        site.repository.resolve("HEAD:jobs")


def test_the_shell_does_not_lead_elsewhere(site: Site, tmp_path: Path) -> None:
    """GIT_DIR and its like are not passed on."""
    commit = site.commit({"jobs/a/x.sql": SQL})
    shell = {**site.shell, "GIT_DIR": str(tmp_path), "GIT_EXTERNAL_DIFF": "false", "GIT_INDEX_FILE": "/nowhere"}
    assert Repository.around(site.root, shell).resolve("HEAD") == commit


def test_a_repository_runs_no_program(site: Site, tmp_path: Path) -> None:
    """Neither its hooks nor what its configuration names."""
    first = site.commit({"jobs/a/x.sql": SQL, ".gitattributes": "*.sql diff=evil\n"})
    second = site.commit({"jobs/a/x.sql": SQL * 2})
    witness = tmp_path / "ran"
    for name in ("core.fsmonitor", "diff.evil.textconv", "diff.evil.command", "diff.external", "core.pager"):
        site.git("config", name, f"touch {witness};:")
    repository = site.repository
    repository.uncommitted()
    repository.diff(first, second)
    list(repository.log(second))
    assert not witness.exists()


def test_a_folder_of_a_repository_is_a_world_of_its_own(site: Site) -> None:
    """Paths are from the folder, and what is outside it is not there."""
    first = site.commit({"infra/jobs/a/x.sql": SQL, "jobs/a/other.sql": SQL})
    second = site.commit({"infra/jobs/a/x.sql": SQL * 2, "jobs/a/other.sql": SQL * 2})
    (site.root / "infra/jobs/a/new.sql").write_text(SQL)
    (site.root / "jobs/a/new.sql").write_text(SQL)
    inner = Repository.around(site.root / "infra", site.shell)
    assert set(inner.tree(second, "jobs")) == {"jobs/a/x.sql"}
    assert [change.path for change in inner.diff(first, second)] == ["jobs/a/x.sql"]
    assert inner.uncommitted() == ("jobs/a/new.sql",)


def test_a_difference_says_what_was_there(site: Site) -> None:
    """Added, deleted and changed in mode, each with both entries; submodules are no folders."""
    first = site.commit({"gone.sql": SQL, "run.sql": "run"})
    site.git("update-index", "--add", "--cacheinfo", f"{MODULE},{first},vendor/sub")
    (site.root / "run.sql").chmod(0o755)
    (site.root / "vendor/sub").mkdir(parents=True)
    second = site.commit({"gone.sql": None})
    found = {change.path: change for change in site.repository.diff(first, second)}
    assert found["gone.sql"].new is None
    assert found["vendor/sub"] == Change("vendor/sub", None, Entry(MODULE, first))
    before, after = found["run.sql"].old, found["run.sql"].new
    assert before
    assert after
    assert (before.mode, after.mode, before.object) == ("100644", "100755", after.object)


def test_links_within_the_tree_are_followed(site: Site, tree: Tree) -> None:
    """A link gives what it leads to, over another link too."""
    site.commit({"jobs/a/x.sql": SQL})
    site.linked("jobs/a/link.sql", "x.sql")
    commit = site.linked("jobs/b/again.sql", "../a/link.sql")
    found = tree(commit)
    assert set(found.files()) == {"a/x.sql", "a/link.sql", "b/again.sql"}
    assert found.read("b/again.sql", 1000) == SQL.encode()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("/etc/passwd", "a link that leaves it"),
        ("../../README.md", "a link that leaves it"),
        ("gone.sql", "a link that leaves it"),
        ("../b", "a link to a folder"),
        ("link.sql", "a link that leads to itself"),
    ],
)
def test_links_elsewhere_are_refused_by_name(site: Site, tree: Tree, target: str, message: str) -> None:
    """As they are of a folder on disk."""
    site.commit({"jobs/b/x.sql": SQL, "README.md": "read me"})
    commit = site.linked("jobs/a/link.sql", target)
    with pytest.raises(Invalid, match=f"jobs/a/link.sql:1:1: expected a file.*{message}"):
        list(tree(commit).files())


def test_a_submodule_among_jobs_is_refused_by_name(site: Site, tree: Tree) -> None:
    """Its files are in another repository."""
    first = site.commit({"jobs/a/x.sql": SQL})
    site.git("update-index", "--add", "--cacheinfo", f"{MODULE},{first},jobs/a/sub")
    site.git("commit", "-q", "-m", "sub")
    with pytest.raises(Invalid, match="jobs/a/sub:1:1: expected a file, got a submodule"):
        list(tree(site.repository.resolve("HEAD")).files())


def test_no_terminal_gets_a_line_break_from_a_name(site: Site, tree: Tree) -> None:
    """What is shown of a path is one line."""
    commit = site.commit({"jobs/a/new\nline\x1b[31m.sql": SQL})
    assert tree(commit).shown("a/new\nline\x1b[31m.sql") == r"jobs/a/new\nline\x1b[31m.sql"


def test_no_repository_and_no_git_are_said(tmp_path: Path, site: Site) -> None:
    """Each with what to do."""
    with pytest.raises(NotFound, match="is in no Git repository"):
        Repository.around(tmp_path, site.shell)
    with pytest.raises(Missing, match="git was not found"):
        Repository.around(site.root, {"PATH": str(tmp_path)})


def test_history_is_read_with_any_subject(site: Site) -> None:
    """Line breaks, blanks and nothing at all in a message disturb no other commit."""
    for message in ("first", "two\n\nlines", "tab\tand \x1e"):
        site.commit({}, message=message)
    found = list(site.repository.log(site.repository.resolve("HEAD")))
    assert [one.subject for one in found] == ["tab\tand \x1e", "two", "first"]
    assert [len(one.parents) for one in found] == [1, 1, 0]
    assert found[0].email == "ada@example.com"


def test_who_is_an_ancestor(site: Site) -> None:
    """A commit is one of itself and of those after it."""
    first = site.commit({})
    second = site.commit({})
    repository = site.repository
    assert repository.descends(second, first)
    assert repository.descends(first, first)
    assert not repository.descends(first, second)
    assert repository.base(first, second) == first

"""Which files an argument names."""

import os
from pathlib import Path

import pytest

from kt.cli.files import expand
from kt.errors import UsageError

FILES = ("b.yaml", "a.yml", "sub/c.yaml", "sub/deep/d.yml", "sub/notes.txt", ".hidden/e.yaml")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with configurations and other files, worked in."""
    for name in (
        "b.yaml",
        "a.yml",
        "sub/c.yaml",
        "sub/deep/d.yml",
        "sub/notes.txt",
        ".hidden/e.yaml",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("gateway: {}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["-", "b.yaml", "missing.yaml", "sub/notes.txt"])
def test_a_name_is_itself_whether_it_is_there_or_not(name: str, tree: Path) -> None:
    assert expand(name) == (name,)


def test_a_directory_is_every_file_below_it_in_a_fixed_order(tree: Path) -> None:
    assert expand("sub") == ("sub/c.yaml", "sub/deep/d.yml")
    names = ("a.yml", "b.yaml", ".hidden/e.yaml", "sub/c.yaml", "sub/deep/d.yml")
    assert expand(str(tree)) == tuple(str(tree / name) for name in names)


def test_a_directory_without_one_is_refused(tree: Path) -> None:
    (tree / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no \*\.yaml or \*\.yml below empty"):
        expand("empty")


def test_a_link_to_a_directory_is_not_followed_so_a_circle_ends(tree: Path) -> None:
    (tree / "sub" / "again").symlink_to(tree, target_is_directory=True)
    (tree / "sub" / "deep" / "again").symlink_to(tree, target_is_directory=True)
    assert expand("sub") == ("sub/c.yaml", "sub/deep/d.yml")
    assert expand("sub/**/*.yml") == ("sub/deep/d.yml",)


def test_a_pipe_in_a_directory_is_not_waited_for(tree: Path) -> None:
    os.mkfifo(tree / "sub" / "pipe.yaml")
    assert "sub/pipe.yaml" not in expand("sub")


def test_a_directory_that_cannot_be_listed_is_refused(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scandir(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("os.scandir", scandir)
    with pytest.raises(UsageError, match="cannot read sub: Permission denied"):
        expand("sub")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.y*ml", ("a.yml", "b.yaml")),
        ("sub/*.yaml", ("sub/c.yaml",)),
        ("**/d.yml", ("sub/deep/d.yml",)),
        ("[ab].*", ("a.yml", "b.yaml")),
        ("su?", ("sub/c.yaml", "sub/deep/d.yml")),
    ],
)
def test_a_pattern_is_what_matches_it(pattern: str, expected: tuple[str, ...], tree: Path) -> None:
    assert expand(pattern) == expected
    assert expand(f"{tree}/{pattern}") == tuple(str(tree / name) for name in expected)


@pytest.mark.parametrize("pattern", ["*.json", "a**b", "zzz/*.yaml"])
def test_a_pattern_that_names_nothing_is_refused(pattern: str, tree: Path) -> None:
    with pytest.raises(UsageError):
        expand(pattern)


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tree: Path) -> None:
    (tree / "[a].yaml").write_text("gateway: {}\n")
    assert expand("[a].yaml") == ("[a].yaml",)

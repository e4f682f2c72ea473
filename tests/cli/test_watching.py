"""Files that are looked at: what counts as a change."""

import os
from functools import partial
from pathlib import Path

import pytest
import trio

from kt.cli.watching import Watcher, watch
from tests.support.gateways import run_in_virtual_time


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with something in it."""
    path = tmp_path / "policy-config.yaml"
    path.write_text("one")
    return path


def looks(watcher: Watcher, number: int = 3) -> list[bool]:
    """What several looks find."""
    return [watcher.look() for _ in range(number)]


def test_a_new_content_is_told_once_and_only_when_it_stays(file: Path) -> None:
    watcher = Watcher([file])
    assert looks(watcher) == [False, False, False]
    file.write_text("two")
    assert looks(watcher) == [False, True, False]


def test_what_is_being_written_is_waited_for(file: Path) -> None:
    watcher = Watcher([file])
    for text in ("tw", "two", "two and"):
        file.write_text(text)
        assert not watcher.look()
    assert watcher.look()


def test_a_touched_file_is_no_change(file: Path) -> None:
    watcher = Watcher([file])
    os.utime(file, (1, 1))
    assert looks(watcher) == [False, False, False]


def test_a_change_that_is_taken_back_is_none(file: Path) -> None:
    watcher = Watcher([file])
    file.write_text("two")
    assert not watcher.look()
    file.write_text("one")
    assert looks(watcher) == [False, False, False]


def test_a_file_that_another_one_replaces_is_a_change(file: Path, tmp_path: Path) -> None:
    """As editors, links and mounted volumes do it; the old time and size are no excuse."""
    watcher = Watcher([file])
    other = tmp_path / "other"
    other.write_text("two")
    found = file.stat()
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.rename(file)
    assert looks(watcher) == [False, True, False]


def test_a_link_that_is_turned_is_a_change(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    watcher = Watcher([link])
    (tmp_path / "other").write_text("two")
    link.unlink()
    link.symlink_to(tmp_path / "other")
    assert looks(watcher) == [False, True, False]


def test_a_file_that_goes_and_comes_back_the_same_is_no_change(file: Path) -> None:
    watcher = Watcher([file])
    file.unlink()
    assert not watcher.look()
    file.write_text("one")
    assert looks(watcher) == [False, False, False]


def test_any_of_several_files_counts(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "key.pem"
    watcher = Watcher([file, other])
    other.write_text("key")
    assert looks(watcher) == [False, True, False]


def test_who_watches_is_called(file: Path) -> None:
    called: list[float] = []
    rewrite = partial(file.write_text, "two")

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            done = trio.Event()

            def changed() -> None:
                called.append(trio.current_time())
                done.set()

            nursery.start_soon(watch, [file], changed)
            await trio.testing.wait_all_tasks_blocked()
            rewrite()
            await done.wait()
            nursery.cancel_scope.cancel()

    run_in_virtual_time(main)
    assert len(called) == 1

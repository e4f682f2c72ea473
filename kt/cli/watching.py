"""Watch files by looking at them: whoever replaces, links or mounts them anew is noticed.

In: paths. Out: a call for each new content that has come to rest. Never: the content kept, a call
for a file that is being written, one for a touched file that says the same.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import trio

INTERVAL = 1.0
"""Seconds between two looks; a change is acted on after the second that finds it the same."""

MAX_READ = 2**26
"""The most that is read of a file for its hash; no file that the gateway reads is larger."""

Stamp: TypeAlias = tuple[tuple[int, ...], ...]


async def watch(
    paths: Sequence[Path], changed: Callable[[], None], interval: float = INTERVAL
) -> None:
    """Look for ever, and call `changed` when what the files say is new and stays for a look."""
    watcher = Watcher(paths)
    while True:
        await trio.sleep(interval)
        if await trio.to_thread.run_sync(watcher.look, abandon_on_cancel=True):
            changed()


class Watcher:
    """What the files said when somebody looked last."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
        self._stamp = self._stamps()
        self._seen = self._told = self._contents()

    def look(self) -> bool:
        """Whether there is a new content that was the same the last time."""
        stamp = self._stamps()
        if stamp == self._stamp and self._seen == self._told:
            return False  # the usual case: nothing is read
        self._stamp = stamp
        before, self._seen = self._seen, self._contents()
        if self._seen != before or self._seen == self._told:
            return False
        self._told = self._seen
        return True

    def _stamps(self) -> Stamp:
        return tuple(map(_stamp, self._paths))

    def _contents(self) -> tuple[bytes, ...]:
        return tuple(map(_content, self._paths))


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes with the file; nothing where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _content(path: Path) -> bytes:
    """The hash of what a file says; nothing where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            digest.update(file.read(MAX_READ))
    except OSError:
        return b""
    return digest.digest()

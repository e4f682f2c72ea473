"""Which files the arguments of a command name: files, directories and patterns.

In: arguments as typed. Out: names of files, each once. Raises UsageError for an argument that names
none. Never: a link to a directory followed, so that every walk ends.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from kt.cli.compiling import STANDARD_INPUT
from kt.errors import UsageError

SUFFIXES = (".yaml", ".yml")
_WILD = frozenset("*?[")


def expand(argument: str) -> tuple[str, ...]:
    """The files that one argument names: itself, those below a directory, those of a pattern."""
    if argument == STANDARD_INPUT:
        return (argument,)
    if os.path.isdir(argument):
        return _below(argument)
    if _WILD & set(argument) and not os.path.lexists(argument):
        return _matching(argument)
    return (argument,)


def _below(directory: str) -> tuple[str, ...]:
    found = tuple(_walk(directory))
    if not found:
        hint = "name a file, or another directory"
        raise UsageError(f"there is no *.yaml or *.yml below {directory}", hint)
    return found


def _walk(directory: str) -> Iterator[str]:
    for folder, inside, names in os.walk(directory, onerror=_fail):
        inside.sort()
        paths = (os.path.join(folder, name) for name in sorted(names) if name.endswith(SUFFIXES))
        # Only what ends when it is read: a pipe that happens to lie there may never.
        yield from (path for path in paths if os.path.isfile(path))


def _fail(error: OSError) -> None:
    # A directory that cannot be listed may hold the file that is wrong.
    raise UsageError(f"cannot read {error.filename}: {error.strerror}", "check its permissions")


def _matching(pattern: str) -> tuple[str, ...]:
    anchor = Path(pattern).anchor
    try:
        # Not the glob module: it follows links to directories, in circles.
        found = sorted(str(one) for one in Path(anchor).glob(pattern[len(anchor) :]))
    except (ValueError, NotImplementedError) as problem:
        raise UsageError(f"cannot read {pattern}: {problem}", "see --help") from None
    names = [name for one in found for name in (expand(one) if os.path.isdir(one) else (one,))]
    if not names:
        raise UsageError(f"nothing matches {pattern}", "quote it only where kt is to expand it")
    return tuple(names)

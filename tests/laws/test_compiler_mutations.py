"""Law: one broken key of a published configuration is an error there, or changes nothing but words.

Every key is misspelled, given twice, given a value of another type, an alias, a tag or a character
that is not allowed, and moved to another column. What comes out is an error near it, or, where any
key is accepted, the same plan with a warning. Some values are made huge, or as deep as can be.
"""

import gzip
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType

import attrs
import pytest

from kt.cli import run as kt
from kt.compiler import Compiled, compile_source
from kt.compiler.reader import MAX_BYTES, read
from kt.compiler.tree import Entry, Map, Node, Scalar, Seq, key_name
from kt.compiler.variables import is_secret_key
from kt.diagnostics import Report
from kt.errors import ConfigError
from kt.source import Source, Span
from tests.support.cases import case_paths, load

PER_CASE = 10
"""So many mutations of each configuration are tried; the deep profile tries all."""

FOLDERS = ("configs", "shapes", "published", "examples", "kinds")
PUBLISHED = tuple(path for folder in FOLDERS for path in case_paths(folder))

IS_DEEP = os.environ.get("KT_HYPOTHESIS_PROFILE") == "deep"

Compile = Callable[[Source], Compiled]


@attrs.frozen
class Mutation:
    """A broken text, what was done to it, and the lines on which an error may stand."""

    what: str
    text: str
    first: int
    last: int


def entries(node: Node) -> Iterator[Entry]:
    """Every key with its value."""
    match node:
        case Seq():
            for item in node.items:
                yield from entries(item)
        case Map():
            for entry in node.entries:
                yield entry
                yield from entries(entry.value)


def mutations(text: str) -> Iterator[Mutation]:
    """Every way in which one key of a text is broken."""
    source = Source("kt.yaml", text)
    tree = read(source, Report(source))
    if tree is None:
        return  # what is no YAML has no keys
    names = {source.position(span.start)[0]: span for span in own_names(tree)}
    for entry in entries(tree):
        is_own = entry.key.span in names.values()
        line, _ = source.position(entry.key.span.start)
        right = {"misspelled"} if is_own else set()  # another name, as good as the one before
        right |= {"moved"} if line - 1 in names else set()  # one more
        right |= {"not set"} if is_secret_key(key_name(entry.key)) else set()  # a reference
        yield from (
            one for one in _broken(source, entry) if not any(it in one.what for it in right)
        )


def own_names(tree: Node) -> frozenset[Span]:
    """Where headers and models are named: any name is right there."""
    maps = ("header", "headers", "model_mapping")
    values = [one.value for one in entries(tree) if one.key.text in maps]
    return frozenset(entry.key.span for one in values for entry in entries(one))


def _broken(source: Source, entry: Entry) -> Iterator[Mutation]:
    """The ways for one key, the misspelling first."""
    text, key, value = source.text, entry.key, entry.value
    line, column = source.position(key.span.start)
    before, after = text[: key.span.start], text[key.span.start :]
    word = key.text
    broken = word[:1] + word[2:] if len(word) > 3 else f"{word}q"
    name = f"{line} {word}"
    yield Mutation(
        f"{name} misspelled", f"{before}{broken}{text[key.span.end :]}", line - 1, line + 1
    )
    twice = f"{before}{text[key.span.start : key.span.end]}: 1\n{' ' * (column - 1)}{after}"
    yield Mutation(f"{name} given twice", twice, line, line + 1)
    last, _ = source.position(value.span.end)
    other = " {zzz: [1]}" if isinstance(value, Scalar) else "7"
    changed = f"{text[: value.span.start]}{other}{text[value.span.end :]}"
    yield Mutation(f"{name} of another type", changed, line, last)
    for what, other in REFUSED.items():
        changed = f"{text[: value.span.start]} {other}{text[value.span.end :]}"
        # What is not closed shows where the text stops making sense.
        end = last if "never ends" not in what else text.count("\n") + 2
        yield Mutation(f"{name} with {what}", changed, line, end)
    for what, broken in (("a merge key", "<<"), ("a key that is a list", "? [a]\n")):
        changed = f"{before}{broken}{text[key.span.end :]}"
        yield Mutation(f"{name} as {what}", changed, line - 1, line + 2)
    start = text.rfind("\n", 0, key.span.start) + 1
    indent = len(text[start:]) - len(text[start:].lstrip(" "))
    for shift in (1, 2, -1, -2):
        if indent + shift < 0:
            continue
        moved = f"{text[:start]}{' ' * (indent + shift)}{text[start + indent :]}"
        yield Mutation(f"{name} moved by {shift}", moved, line - 2, last + 2)


REFUSED = MappingProxyType(
    {
        "an alias": "*a",
        "an anchor": "&a b",
        "a tag": "!!int 1",
        "a tag of its own": "!zzz {a: 1}",
        "a NUL": "a\0b",
        "a bell": "'a\ab'",
        "a byte-order mark inside": "a\N{BYTE ORDER MARK}b",
        "an escaped surrogate": '"\\ud800"',
        "a block that never ends": "{",
        "a quote that never ends": "'",
        "what is not finite": ".inf",
        "half a variable": "'${'",
        "a variable that is not set": "'${KT_TEST_NOT_SET}'",
    }
)
"""Values that are wrong under every key."""


def chosen(text: str) -> list[Mutation]:
    """All mutations, or so many that are spread over the text."""
    found = list(mutations(text))
    # Not every n-th: each key is broken in the same ways, and n may be how many there are.
    chance = random.Random(text)  # noqa: S311 - nothing is secret here
    return found if IS_DEEP else chance.sample(found, min(PER_CASE, len(found)))


Outcome = str | list[tuple[list[int], str]]
"""The digest of a text's plan, or the lines and the message of each error."""


def broken_law(compile_text: Compile, before: Outcome, mutation: Mutation) -> str | None:
    """What is wrong with the answer to a mutation of a text that had an outcome."""
    after = outcome(compile_text, mutation.text)
    if after == before:
        return None
    if isinstance(after, str):
        return f"{mutation.what}: another plan"
    places = [line for lines, _ in after for line in lines]
    near = any(mutation.first <= place <= mutation.last for place in places)
    return None if near else f"{mutation.what}: errors on {places}"


def outcome(compile_text: Compile, text: str) -> Outcome:
    """What comes of a text; where it fails, with the lines that belong to each error too."""
    try:
        return compile_text(Source("kt.yaml", text)).plan.digest
    except ConfigError as error:
        line = error.report.source.position
        return [
            (
                [line(span.start)[0] for span in (one.span, *(it.span for it in one.related))],
                one.message,
            )
            for one in error.report.errors
        ]


@pytest.mark.slow
@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_a_broken_key_is_an_error_there_or_changes_nothing(path: Path) -> None:
    text = load(path).config
    before = outcome(compile_source, text)
    found = [broken_law(compile_source, before, one) for one in chosen(text)]
    assert [one for one in found if one is not None] == []


TEXT = "gateway:\n  timeouts:\n    connect: 5s\n  listen_port: 1\n"


def found_with(compile_text: Compile) -> list[str]:
    """What the law finds wrong with a compiler."""
    before = outcome(compile_text, TEXT)
    found = [broken_law(compile_text, before, one) for one in mutations(TEXT)]
    return [one for one in found if one is not None]


def test_the_law_of_broken_keys_holds_for_a_small_text() -> None:
    assert found_with(compile_source) == []


def test_the_law_of_broken_keys_finds_a_compiler_that_leaves_out_what_it_does_not_know() -> None:
    def planted(source: Source) -> Compiled:
        try:
            return compile_source(source)
        except ConfigError:
            return compile_source(Source(source.name, "gateway: {}"))

    assert "4 listen_port misspelled: another plan" in found_with(planted)


def test_the_law_of_broken_keys_finds_an_error_that_stands_elsewhere() -> None:
    def planted(source: Source) -> Compiled:
        try:
            return compile_source(source)
        except ConfigError as error:
            report = Report(source)
            for _ in error.report.errors:
                report.add("unknown_key", Span(0, 0), word="x")
            raise ConfigError(report) from None

    assert "4 listen_port misspelled: errors on [1]" in found_with(planted)


def test_the_law_of_broken_keys_finds_a_compiler_that_raises() -> None:
    def planted(source: Source) -> Compiled:
        if "{zzz" in source.text:
            raise KeyError
        return compile_source(source)

    with pytest.raises(KeyError):
        found_with(planted)


def huge() -> Iterator[tuple[str, str]]:
    """Values that are as large or as deep as can be."""
    yield "a word too many", "x" * MAX_BYTES
    yield "a long word", "x" * (MAX_BYTES - 2**16)
    yield "many keys", "{" + ", ".join(f"k{at}: 1" for at in range(50_000)) + "}"
    yield "many items", "[" + "a, " * 100_000 + "]"
    yield "many lists in lists", "[" * 10_000
    yield "many maps in maps", "{a: " * 10_000
    yield "many lines", "\n" * 10_000 + " a"


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", PUBLISHED if IS_DEEP else PUBLISHED[::50], ids=lambda path: path.stem
)
def test_a_huge_value_is_an_error_there_or_of_the_whole_text(path: Path) -> None:
    text = load(path).config
    source = Source("kt.yaml", text)
    tree = report_of(source)
    found = list(entries(tree)) if tree else []
    for entry in found[len(found) // 2 :][:1]:
        first, _ = source.position(entry.key.span.start)
        for what, value in huge():
            broken = f"{text[: entry.value.span.start]} {value}{text[entry.value.span.end :]}"
            after = outcome(compile_source, broken)
            if isinstance(after, list):
                lines = [line for lines, _ in after for line in lines]
                assert any(line == 1 or first <= line for line in lines), what


def report_of(source: Source) -> Map | None:
    """The tree of a text, None where it has none."""
    return read(source, Report(source))


def rewritten(text: str) -> Iterator[tuple[str, bytes]]:
    """A text as other programs may store it, and what is no text at all."""
    yield "as it is", text.encode()
    yield "with a mark", b"\xef\xbb\xbf" + text.encode()
    yield "with CRLF", text.replace("\n", "\r\n").encode()
    yield "with CR", text.replace("\n", "\r").encode()
    yield "with tabs", text.replace("  ", "\t").encode()
    yield "UTF-16", text.encode("utf-16")
    yield "UTF-16 without a mark", text.encode("utf-16-be")
    yield "UTF-32", text.encode("utf-32")
    yield "Latin-1", (text + "# \xe9").encode("latin-1", errors="replace")
    yield "with a NUL", text.encode() + b"\0"
    yield "cut", text.encode()[: len(text) // 2]
    yield "twice", text.encode() * 2
    yield "nothing", b""
    yield "binary", bytes(range(256)) * 64
    yield "compressed", gzip.compress(text.encode(), mtime=0)


def exit_code(*arguments: str) -> int:
    """How a command ends."""
    try:
        return kt(arguments)
    except SystemExit as end:
        return int(end.code or 0)


SAME = frozenset({"as it is", "with a mark", "with CRLF"})
"""How a text may be stored and mean the same."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", PUBLISHED if IS_DEEP else PUBLISHED[::10], ids=lambda path: path.stem
)
def test_a_file_as_other_programs_store_it_has_an_exit_code_and_no_traceback(
    path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    codes = {}
    for what, data in rewritten(load(path).config):
        (tmp_path / "kt.yaml").write_bytes(data)
        codes[what] = exit_code("config", "validate", str(tmp_path / "kt.yaml"))
        assert codes[what] in (0, 1, 2), what
        assert "Traceback" not in capfd.readouterr().err, what
    assert len({codes[what] for what in SAME}) == 1
    assert codes["binary"] == codes["UTF-16"] == 2

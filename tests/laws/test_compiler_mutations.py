"""Law: one broken key of a published configuration is an error there, or changes nothing but words.

Every key is misspelled, given twice, given a value of another type and moved to another column.
What comes out is an error near it, or, where any key is accepted, the same plan with a warning.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from kt.compiler import Compiled, compile_source
from kt.compiler.reader import read
from kt.compiler.tree import Entry, Map, Node, Scalar, Seq
from kt.diagnostics import Report
from kt.errors import ConfigError
from kt.source import Source, Span
from tests.support.cases import case_paths, load

PER_CASE = 10
"""So many mutations of each configuration are tried; the deep profile tries all."""

PUBLISHED = (*case_paths("configs"), *case_paths("shapes"))

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
    assert tree is not None
    headers = names_of_headers(tree)
    for entry in entries(tree):
        # NOT: another name of a header, which is one as good as the one before.
        broken = _broken(source, entry)
        yield from itertools.islice(broken, entry.key.span in headers, None)


def names_of_headers(tree: Node) -> frozenset[Span]:
    """Where conditions name headers: any name is right there."""
    conditions = (one.value for one in entries(tree) if one.key.text in ("when", "conditions"))
    maps = (one.get("header") for one in conditions if isinstance(one, Map))
    values = (one.value for one in maps if one is not None)
    return frozenset(
        entry.key.span for one in values if isinstance(one, Map) for entry in one.entries
    )


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
    start = text.rfind("\n", 0, key.span.start) + 1
    indent = len(text[start:]) - len(text[start:].lstrip(" "))
    for shift in (1, 2, -1, -2):
        if indent + shift < 0:
            continue
        moved = f"{text[:start]}{' ' * (indent + shift)}{text[start + indent :]}"
        yield Mutation(f"{name} moved by {shift}", moved, line - 2, last + 2)


def chosen(text: str) -> list[Mutation]:
    """All mutations, or so many that are spread over the text."""
    found = list(mutations(text))
    return found if IS_DEEP else found[:: max(1, len(found) // PER_CASE)]


def broken_law(compile_text: Compile, text: str, mutation: Mutation) -> str | None:
    """What is wrong with the answer to a mutation."""
    before, after = outcome(compile_text, text), outcome(compile_text, mutation.text)
    if after == before:
        return None
    if isinstance(after, str):
        return f"{mutation.what}: another plan"
    places = [place for place, _ in after]
    near = any(mutation.first <= place <= mutation.last for place in places)
    return None if near else f"{mutation.what}: errors on {places}"


def outcome(compile_text: Compile, text: str) -> str | list[tuple[int, str]]:
    """The digest of a text's plan, or the line and message of each error."""
    try:
        return compile_text(Source("kt.yaml", text)).plan.digest
    except ConfigError as error:
        position = error.report.source.position
        return [(position(one.span.start)[0], one.message) for one in error.report.errors]


@pytest.mark.slow
@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_a_broken_key_is_an_error_there_or_changes_nothing(path: Path) -> None:
    text = load(path).config
    found = [broken_law(compile_source, text, one) for one in chosen(text)]
    assert [one for one in found if one is not None] == []


TEXT = "gateway:\n  timeouts:\n    connect: 5s\n  listen_port: 1\n"


def found_with(compile_text: Compile) -> list[str]:
    """What the law finds wrong with a compiler."""
    found = [broken_law(compile_text, TEXT, one) for one in mutations(TEXT)]
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

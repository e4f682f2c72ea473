"""Laws of bodies: anything is read or refused, and an edit touches what it addresses."""

import json
from collections.abc import Callable, Mapping

import orjson
import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from kt.errors import GatewayError, HouseBug
from kt.exchange import Embedded, Key, Path
from kt.wire.json_body import JsonValue, parse_lenient, parse_strict
from kt.wire.splice import Change, Raw, splice
from tests.support.body_strategies import Token, joined, json_values, replaced, spelled, texts

FRAGMENTS = (
    *("{", "}", "[", "]", ":", ",", '"', "\\", "\\u", "d800", "\\ud83d", "\\ude00", "\ufeff", " "),
    *('"a"', '"A"', '"a":', '"A":1', "NaN", "Infinity", "-", "1e999", "0", "9" * 5000, "true"),
    *("[" * 200, '{"a":' * 200, "é", "\x00", "\n"),
)
mangled = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(lambda parts: "".join(parts).encode()),
)
documents = json_values().flatmap(spelled)
changes_to = texts | st.sampled_from([Raw(b"null"), Raw(b"[]")])


def is_read_or_refused(body: bytes, codes: set[str]) -> bool:
    read = parse_lenient if codes == {"bad_response"} else parse_strict
    try:
        read(body)
    except GatewayError as error:
        return error.code in codes
    return True


@given(mangled)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert is_read_or_refused(body, {"invalid_json", "ambiguous_json"})
    assert is_read_or_refused(body, {"bad_response"})


def test_the_law_of_reading_fails_for_a_plain_reader() -> None:
    def plainly(body: bytes) -> JsonValue:
        return json.loads(body)  # type: ignore[no-any-return]  # JSON

    with pytest.raises(UnicodeDecodeError):
        plainly(b"\xff")
    assert plainly(b'{"a":1,"a":2}') == {"a": 2}


@given(mangled)
def test_what_is_read_strictly_means_the_same_to_every_reader(body: bytes) -> None:
    try:
        value = parse_strict(body)
    except GatewayError:
        return
    assert json.loads(body, parse_int=_any_size) == json.loads(
        json.dumps(value), parse_int=_any_size
    )
    assert json.dumps(value, ensure_ascii=False).encode()


def _any_size(digits: str) -> int | float:
    """Python reads no whole number of more than 4300 digits."""
    return int(digits) if len(digits) <= 4300 else float(digits)


@given(documents)
def test_every_spelling_of_a_value_is_read(document: tuple[Token, ...]) -> None:
    body = joined(document)
    assert parse_strict(body) == json.loads(body) == parse_lenient(body)


@given(documents)
def test_a_splice_of_nothing_changes_nothing(document: tuple[Token, ...]) -> None:
    assert splice(joined(document), {}) == joined(document)


def encoded(change: Change) -> bytes:
    return change.json if isinstance(change, Raw) else orjson.dumps(change)


def expected(document: tuple[Token, ...], changes: dict[Path, Change]) -> bytes:
    """Each addressed token replaced, all others as they are."""
    return b"".join(
        encoded(changes[token.path]) if token.path in changes else token.data
        for token in document
        if token.path is not None or token.data
    )


@st.composite
def edits(draw: st.DrawFn) -> tuple[tuple[Token, ...], dict[Path, Change]]:
    """A document and changes of some of its leaves and keys."""
    document = draw(documents)
    paths = [token.path for token in document if token.path is not None]
    chosen = draw(st.lists(st.sampled_from(paths), max_size=4, unique=True)) if paths else []
    return document, {path: draw(texts) for path in chosen}


Splice = Callable[[bytes, Mapping[Path, Change]], bytes]


def is_exact(edit: tuple[tuple[Token, ...], dict[Path, Change]], by: Splice) -> bool:
    document, changes = edit
    return by(joined(document), changes) == expected(document, changes)


@given(edits())
def test_only_the_addressed_tokens_change(
    edit: tuple[tuple[Token, ...], dict[Path, Change]],
) -> None:
    assert is_exact(edit, splice)


def test_the_law_of_splices_fails_for_printing_anew() -> None:
    def print_anew(body: bytes, changes: Mapping[Path, Change]) -> bytes:
        value = parse_strict(body)
        for path, change in changes.items():
            value = replaced(value, path, change)
        return orjson.dumps(value)

    broken = find(edits(), lambda edit: bool(edit[1]) and not is_exact(edit, print_anew))
    assert is_exact(broken, splice)


def test_a_change_that_finds_no_place_is_a_bug_of_ours() -> None:
    for path in (("b",), ("a", 0), (Key("b"),), ("a", Embedded()), (0,), ("l", 1)):
        with pytest.raises(HouseBug):
            splice(b'{"a": 1, "l": [1]}', {path: "new"})


@given(edits(), changes_to)
def test_a_spliced_body_reads_as_the_value_with_the_leaf_replaced(
    edit: tuple[tuple[Token, ...], dict[Path, Change]], change: Change
) -> None:
    document, changes = edit
    body = joined(document)
    for path in changes:
        if not path or not isinstance(path[-1], Key):
            new = json.loads(encoded(change))
            assert json.loads(splice(body, {path: change})) == replaced(json.loads(body), path, new)


@given(json_values(), texts, st.data())
def test_a_document_inside_a_string_is_edited_like_one_outside(
    inner: JsonValue, new: str, data: st.DataObject
) -> None:
    document = data.draw(spelled(inner))
    text = joined(document).decode()
    body = json.dumps({"before": "\u00e9", "arguments": text, "after": 1}).encode()
    paths = [token.path for token in document if token.path is not None]
    if not paths:
        return
    path = data.draw(st.sampled_from(paths))
    spliced = parse_strict(splice(body, {("arguments", Embedded(), *path): new}))
    assert isinstance(spliced, dict)
    assert spliced["arguments"] == splice(text.encode(), {path: new}).decode()
    assert (spliced["before"], spliced["after"]) == ("\u00e9", 1)

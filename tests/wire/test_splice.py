"""Edits in place by example; the laws are in tests/laws/test_wire_bodies.py."""

import pytest

from kt.errors import HouseBug
from kt.exchange import Embedded, Key, Path
from kt.wire.splice import EMPTY_LIST, NULL, Change, splice

BODY = b'{ "a" :[1, {"b": "\\u0041"} ],"s":"{\\"n\\": 1.50}" , "e": {}, "l": [] }'


@pytest.mark.parametrize(
    ("changes", "old", "new"),
    [
        ({("a", 1, "b"): 'q"é'}, b'"\\u0041"', '"q\\"é"'.encode()),
        ({("a", 0): "one"}, b"[1,", b'["one",'),
        ({("a",): NULL}, b'[1, {"b": "\\u0041"} ]', b"null"),
        ({("e",): EMPTY_LIST}, b'"e": {}', b'"e": []'),
        ({(Key("a"),): "z"}, b'"a" :', b'"z" :'),
        ({("s", Embedded(), "n"): "x"}, b'{\\"n\\": 1.50}', b'{\\"n\\": \\"x\\"}'),
        ({("s", Embedded(), Key("n")): "m"}, b'\\"n\\"', b'\\"m\\"'),
        ({("a",): NULL, ("a", 0): "lost"}, b'[1, {"b": "\\u0041"} ]', b"null"),
    ],
)
def test_what_is_addressed_changes(changes: dict[Path, Change], old: bytes, new: bytes) -> None:
    assert BODY.count(old) == 1
    assert splice(BODY, changes) == BODY.replace(old, new)


def test_the_whole_document_may_be_one_value() -> None:
    assert splice(b' "a" ', {(): "b"}) == b' "b" '


def test_a_key_that_stands_twice_is_edited_twice() -> None:
    body = b'{"a": "secret", "a": "secret"}'
    assert splice(body, {("a",): "x"}) == b'{"a": "x", "a": "x"}'


@pytest.mark.parametrize("body", [b'{"a" 1}', b'{"a":', b'{"b": [', b'{"a": "x', b"[1 2]"])
def test_a_body_that_is_not_json_is_a_bug_of_ours(body: bytes) -> None:
    path: Path = (1,) if body.startswith(b"[") else ("a",)
    with pytest.raises(HouseBug):
        splice(body, {path: "x"})

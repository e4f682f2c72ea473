"""What a body may be."""

import pytest

from kt.errors import GatewayError
from kt.wire.json_body import (
    MAX_CONTAINERS,
    MAX_DEPTH,
    Ambiguous,
    JsonValue,
    Number,
    parse_embedded,
    parse_lenient,
    parse_strict,
)


def refusal(body: bytes) -> tuple[str, str]:
    with pytest.raises(GatewayError) as caught:
        parse_strict(body)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        (b"", "invalid_json", "at byte 0"),
        (b'{"a": secret}', "invalid_json", "at byte 6"),
        ('{"é": secret}'.encode(), "invalid_json", "at byte 7"),
        (b'{"a": 1} x', "invalid_json", "at byte 9"),
        (b'{"a": "\xff"}', "invalid_json", "at byte 7"),
        (b'{"a": NaN}', "invalid_json", "number"),
        (b"[-Infinity]", "invalid_json", "number"),
        (b'"a\nb"', "invalid_json", "at byte 2"),
        (b"\xef\xbb\xbf{}", "ambiguous_json", "byte-order mark"),
        (b'{"a": 1, "a": 2}', "ambiguous_json", "at byte 9"),
        (b'{"b": [{"a": 1, "\\u0041": 2}]}', "ambiguous_json", "at byte 16"),
        ('{"k": 1, "\u212a": 2}'.encode(), "ambiguous_json", "at byte 9"),
        (b'["ok", "\\ud83d"]', "ambiguous_json", "at byte 7"),
        (b'{"\\udc00": 1}', "ambiguous_json", "at byte 1"),
        ("[]".encode("utf-16"), "invalid_json", "UTF-8"),
    ],
)
def test_a_body_without_one_meaning_is_refused(body: bytes, code: str, place: str) -> None:
    found, message = refusal(body)
    assert found == code
    assert place in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b' {"a": ["\\ud83d\\ude00", "\\\\ud83d"]} ', {"a": ["😀", "\\ud83d"]}),
        (b'{"a": {"a": 1}, "b": {"a": 2}}', {"a": {"a": 1}, "b": {"a": 2}}),
        (b"[1, -0.5, 1e2, true, null]", [1, -0.5, 100.0, True, None]),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"9" * 10_000, float("inf")),
    ],
)
def test_a_body_with_one_meaning_is_read(body: bytes, value: JsonValue) -> None:
    assert parse_strict(body) == value


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_is_bounded(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"

    def nested(depth: int) -> bytes:
        return opening * depth + b"1" + closing * depth

    assert parse_strict(nested(MAX_DEPTH)) == parse_lenient(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 100_000):
        assert refusal(nested(depth))[0] == "invalid_json"
        with pytest.raises(GatewayError) as caught:
            parse_lenient(nested(depth))
        assert caught.value.code == "bad_response"


def test_containers_are_counted() -> None:
    def many(size: int) -> bytes:
        return b"[" + b",".join([b"{}"] * (size - 1)) + b"]"

    assert parse_strict(many(MAX_CONTAINERS)) == parse_lenient(many(MAX_CONTAINERS))
    assert refusal(many(MAX_CONTAINERS + 1))[0] == "invalid_json"


@pytest.mark.parametrize("tail", [b"", b"\\", b'"', b'\\"'])
def test_a_string_that_never_ends_is_walked_once(tail: bytes) -> None:
    # Walking it once for each of its quotes would take hours.
    body = b"[" * 120 + b'"' + b'\\"' * 1_000_000 + b"[" * 20 + tail
    assert refusal(body)[0] == "invalid_json"


def test_brackets_in_strings_are_no_nesting() -> None:
    assert parse_strict(b'["' + b"[" * 1000 + b'"]') == ["[" * 1000]


def test_an_answer_that_is_not_json_is_a_bad_response_that_is_not_quoted() -> None:
    for body in (b"<html>secret", b"\xff", b'{"a": "\\ud800"}', b""):
        with pytest.raises(GatewayError) as caught:
            parse_lenient(body)
        assert caught.value.code == "bad_response"
        assert "secret" not in caught.value.message


def test_numbers_of_an_embedded_document_stay_as_written() -> None:
    assert parse_embedded('[4111111111111111111111, 1.50, NaN, "x"]') == [
        Number("4111111111111111111111"),
        Number("1.50"),
        Number("NaN"),
        "x",
    ]


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', '"\\ud800"', "[" * 200 + "]" * 200, "[" * 10_000]
)
def test_an_embedded_document_with_two_meanings_is_ambiguous(text: str) -> None:
    with pytest.raises(Ambiguous):
        parse_embedded(text)


@pytest.mark.parametrize("text", ["", "plain words", '{"a": 1', "{} {}"])
def test_what_is_no_document_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Extra"):
        parse_embedded(text)


def test_keys_of_an_embedded_document_may_differ_in_case() -> None:
    assert parse_embedded('{"a": "1", "A": "2"}') == {"a": "1", "A": "2"}

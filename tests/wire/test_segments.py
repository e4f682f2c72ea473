"""What a segment is, and where its edits go."""

import json
from typing import Any

import pytest

from kt.exchange import Embedded, Key, Segment, Surface
from kt.policy import Derived, Edit
from kt.wire.chat_tables import ANSWER, REQUEST
from kt.wire.json_body import Ambiguous, JsonValue, parse_strict
from kt.wire.segments import apply_edits, segments_of


def request(*messages: JsonValue, **fields: Any) -> tuple[bytes, tuple[Segment, ...]]:
    body = json.dumps({"model": "m", "messages": list(messages), **fields}).encode()
    return body, segments_of(parse_strict(body), REQUEST)


def surfaces(segments: tuple[Segment, ...]) -> dict[str, Surface]:
    return {segment.text: segment.surface for segment in segments}


def edit_of(segments: tuple[Segment, ...], text: str, label: str = "[X]") -> Edit:
    """The edit of the first place where the text stands."""
    for index, segment in enumerate(segments):
        at = segment.text.encode().find(text.encode())
        if at >= 0:
            return Edit(index, at, at + len(text.encode()), label)
    raise AssertionError(text)


def test_a_message_has_the_surface_of_its_role() -> None:
    _, segments = request(
        {"role": "system", "content": "s"},
        {"role": "developer", "content": "d"},
        {"role": "user", "content": "u", "name": "n"},
        {"role": "assistant", "content": "a"},
        {"role": "tool", "content": "t", "tool_call_id": "call"},
        {"role": "stranger", "content": "x"},
    )
    assert surfaces(segments) == {
        "m": Surface.OTHER,
        "s": Surface.SYSTEM,
        "d": Surface.SYSTEM,
        "u": Surface.USER,
        "n": Surface.USER,
        "a": Surface.ASSISTANT,
        "t": Surface.TOOL_RESULT,
        "call": Surface.TOOL_RESULT,
        "stranger": Surface.OTHER,
        "x": Surface.OTHER,
    }


def test_adjacent_text_parts_are_one_segment_and_an_image_ends_it() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://host/a.png"}}
    parts = [{"type": "text", "text": text} for text in ("my é", "mail", "other")]
    _, segments = request({"role": "user", "content": [*parts[:2], image, parts[2]]})
    texts = [segment.text for segment in segments]
    assert texts == ["m", "my émail", "https://host/a.png", "other"]
    assert [(piece.start, piece.end) for piece in segments[1].pieces] == [(0, 5), (5, 9)]


def test_an_edit_over_several_parts_goes_into_the_first() -> None:
    parts = [{"type": "text", "text": text} for text in ("mail a", "", "@", "b.com now", "!")]
    body, segments = request({"role": "user", "content": parts})
    edited = apply_edits(body, segments, [edit_of(segments, "a@b.com", "[EMAIL]")])
    content = json.loads(edited)["messages"][0]["content"]
    assert [part["text"] for part in content] == ["mail [EMAIL]", "", "", " now", "!"]


def test_unknown_keys_and_what_is_below_them_are_segments() -> None:
    _, segments = request(
        {"role": "user", "Content": "a", "x": [{"deep": "b"}]}, metadata={"case 7": "c"}
    )
    assert surfaces(segments) == {
        **dict.fromkeys(("m", "Content", "a", "x", "deep", "b", "case 7", "c"), Surface.OTHER),
    }


def test_tool_descriptions_are_read_with_their_property_names() -> None:
    schema = {"type": "object", "properties": {"street": {"type": "string", "enum": ["Elm"]}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    _, segments = request({"role": "user", "content": "u"}, tools=[tool])
    found = surfaces(segments)
    assert {found[text] for text in ("f", "Elm")} == {Surface.TOOL_DESCRIPTION}
    assert "street" in found
    assert "object" not in found


def call(arguments: str) -> dict[str, Any]:
    function = {"name": "f", "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"type": "function", "function": function}]}


def test_tool_arguments_are_read_decoded() -> None:
    _, segments = request(call('{"to": ["a\\u0040b"], "n": 4111, "role": "user", "ok": true}'))
    arguments = [one for one in segments if one.surface is Surface.TOOL_ARGUMENTS]
    assert [one.text for one in arguments] == ["to", "a@b", "n", "4111", "role", "user", "ok"]
    assert arguments[1].pieces[0].path[-3:] == (Embedded(), "to", 0)
    assert arguments[0].pieces[0].path[-1] == Key("to")


def test_edits_in_tool_arguments_are_escaped_again_and_numbers_become_strings() -> None:
    body, segments = request(call('{ "to":"say \\"a\\u0040b\\"", "n":4111 , "1.0": 1.0}'))
    edits = [edit_of(segments, "a@b", '["X"]'), edit_of(segments, "4111", "[N]")]
    arguments = json.loads(apply_edits(body, segments, edits))["messages"][0]["tool_calls"][0]
    written = arguments["function"]["arguments"]
    assert written == '{ "to":"say \\"[\\"X\\"]\\"", "n":"[N]" , "1.0": 1.0}'


def test_arguments_that_are_no_document_are_one_text() -> None:
    body, segments = request(call("say a@b"))
    (one,) = (one for one in segments if one.surface is Surface.TOOL_ARGUMENTS)
    assert one.text == "say a@b"
    assert b'"say [X]"' in apply_edits(body, segments, [edit_of(segments, "a@b")])


def test_arguments_with_a_key_twice_are_ambiguous() -> None:
    with pytest.raises(Ambiguous):
        request(call('{"a": "harmless", "a": "secret"}'))


def test_a_key_is_edited_in_place() -> None:
    body, segments = request(metadata={"a@b": "x"})
    edited = apply_edits(body, segments, [edit_of(segments, "a@b")])
    assert json.loads(edited)["metadata"] == {"[X]": "x"}


def test_keys_that_would_become_equal_are_numbered() -> None:
    body, segments = request(metadata={"a@b": 1, "[x]": 2, "c@d": 3, "plain": 4})
    edits = [edit_of(segments, "a@b"), edit_of(segments, "c@d")]
    edited = json.loads(apply_edits(body, segments, edits))
    assert edited["metadata"] == {"[X] 2": 1, "[x]": 2, "[X] 3": 3, "plain": 4}


def test_edits_of_one_segment_are_merged_and_derived_ones_computed() -> None:
    body, segments = request({"role": "user", "content": "0123456789 abcdefghij"})
    index = edit_of(segments, "0123").segment
    edits = [
        Edit(index, 0, 4, "[A]"),
        Edit(index, 2, 8, "[B]"),
        Edit(index, 11, 21, "[C]", Derived.PARTIAL),
    ]
    edited = json.loads(apply_edits(body, segments, edits))
    assert edited["messages"][0]["content"] == "[A]89 ******ghij"


def test_no_edits_leave_the_bytes_alone() -> None:
    body, segments = request({"role": "user", "content": "\u00e9"})
    assert apply_edits(body, segments, []) is body


def test_an_answer_has_surfaces_of_its_own() -> None:
    message = {"content": "c", "refusal": "r", "reasoning_content": "why", "audio": {"id": "i"}}
    value: JsonValue = {"id": "i", "choices": [{"index": 0, "message": message}], "new": "n"}
    assert surfaces(segments_of(value, ANSWER)) == {
        "c": Surface.CONTENT,
        "r": Surface.REFUSAL,
        "why": Surface.REASONING,
        "new": Surface.OTHER,
        "n": Surface.OTHER,
    }

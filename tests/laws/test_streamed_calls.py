"""The law of streaming for tool calls: in every format the streamed arguments are the whole ones.

One document is sent as a whole answer and as a stream, cut anywhere; the policies are patterns that
edit or block. Both ways end alike, the arguments are the same text, and what a stream repeats of
them is the same text as well.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.plan import Step
from kt.policy import Action
from kt.runtime.fused import ArgumentsLane
from tests.support.asgi import Response
from tests.support.formats import (
    SPOKEN,
    Spoken,
    event,
    message,
    message_stream,
    response,
)
from tests.support.gateways import frames, gateway, run_in_virtual_time, say
from tests.support.plans import plan, scan_step
from tests.support.upstreams import (
    Body,
    FakeProvider,
    chunk,
    completion,
    json_answer,
    stream_answer,
)

Json = dict[str, Any]  # Any: JSON


@attrs.frozen(kw_only=True)
class Calls:
    """How one format calls a tool."""

    spoken: Spoken
    whole: Callable[[str], Json]
    stream: Callable[[Sequence[str]], bytes]
    read: Callable[[Json], str]
    read_event: Callable[[Json], str]
    repeated: Callable[[Json], str | None] = lambda _: None


def _chat_call(arguments: str, **more: Any) -> Json:
    return {"function": {"name": "f", "arguments": arguments}, **more}


def _chat_stream(pieces: Sequence[str]) -> bytes:
    deltas: list[dict[str, object]] = [
        {"tool_calls": [_chat_call(piece, index=0)]} for piece in pieces
    ]
    end = chunk({}, finish="tool_calls") + b"data: [DONE]\n\n"
    return b"".join(chunk(delta) for delta in deltas) + end


def _block(given: Any) -> Json:
    return {"type": "tool_use", "id": "toolu_1", "name": "f", "input": given}


def _block_stream(pieces: Sequence[str]) -> bytes:
    deltas = ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)
    return message_stream(
        event("content_block_start", index=0, content_block=_block({})),
        *(event("content_block_delta", index=0, delta=delta) for delta in deltas),
        event("content_block_stop", index=0),
    )


def _item(arguments: str) -> Json:
    return {"id": "fc_1", "type": "function_call", "name": "f", "arguments": arguments}


def _item_stream(pieces: Sequence[str]) -> bytes:
    whole, at = "".join(pieces), {"item_id": "fc_1", "output_index": 0}
    name = "response.function_call_arguments"
    return b"".join(
        [
            event("response.output_item.added", output_index=0, item=_item("")),
            *(event(f"{name}.delta", **at, delta=piece) for piece in pieces),
            event(f"{name}.done", **at, arguments=whole),
            event("response.output_item.done", output_index=0, item=_item(whole)),
            event("response.completed", response=response(_item(whole))),
        ]
    )


def _item_repeated(value: Json) -> str | None:
    done = str(value.get("type")).endswith(".done")
    items = [value, value.get("item", {}), *value.get("response", {}).get("output", ())]
    found = [str(one["arguments"]) for one in items if "arguments" in one]
    return found[0] if found and (done or "response" in value) else None


CALLS = (
    Calls(
        spoken=SPOKEN["chat"],
        whole=lambda text: completion("", tool_calls=[_chat_call(text)]),
        stream=_chat_stream,
        read=lambda value: str(
            value["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
        ),
        read_event=lambda value: "".join(
            call["function"]["arguments"]
            for call in value["choices"][0]["delta"].get("tool_calls", ())
        ),
    ),
    Calls(
        spoken=SPOKEN["messages"],
        whole=lambda text: {**message(""), "content": [_block(json.loads(text))]},
        stream=_block_stream,
        read=lambda value: json.dumps(value["content"][0]["input"]),
        read_event=lambda value: value.get("delta", {}).get("partial_json", ""),
    ),
    Calls(
        spoken=SPOKEN["responses"],
        whole=lambda text: response(_item(text)),
        stream=_item_stream,
        read=lambda value: str(value["output"][0]["arguments"]),
        read_event=lambda value: str(value.get("delta", "")),
        repeated=_item_repeated,
    ),
)

LEAVES = st.sampled_from(
    ["ann@acme.com", "secret", "x", "", "to ann@acme.com", 4711, 3, True, None]
)
NAMES = st.sampled_from(["to", "cc", "ann@acme.com", "bob@acme.com", "n"])
DOCUMENTS = st.dictionaries(NAMES, LEAVES | st.lists(LEAVES, max_size=2), max_size=4)
POLICIES = st.lists(
    st.sampled_from(
        [
            scan_step("mail", r"[a-z]{1,9}@[a-z]{1,9}\.com"),
            scan_step("number", r"\b\d{4}\b", order=1),
            scan_step("stop", "secret", action=Action.BLOCK, order=2),
        ]
    ),
    min_size=1,
    unique_by=lambda step: step.name,
)


def answer_to(calls: Calls, steps: list[Step], sent: bytes | Json) -> Response:
    """What the client gets of an answer, whole or streamed."""
    is_stream = isinstance(sent, bytes)
    answers: list[Response] = []

    async def main() -> None:
        provider = FakeProvider(
            lambda _: stream_answer(Body([sent])) if isinstance(sent, bytes) else json_answer(sent)
        )
        async with gateway(plan(*steps), provider) as app:
            answers.append(await say(app, calls.spoken, "hello", stream=is_stream))

    run_in_virtual_time(main)
    return answers[0]


def check_law(calls: Calls, steps: list[Step], text: str, pieces: Sequence[str]) -> None:
    """Hold the streamed answer against the whole one."""
    whole = answer_to(calls, steps, calls.whole(text))
    streamed = answer_to(calls, steps, calls.stream(pieces))
    if whole.status != 200:
        assert b"output_blocked" in streamed.body
        assert b"secret" not in streamed.body
        return
    values = [orjson.loads(one) for one in frames(streamed.body) if one != b"[DONE]"]
    seen = "".join(map(calls.read_event, values))
    expected = calls.read(orjson.loads(whole.body))
    assert json.loads(seen) == json.loads(expected)
    repeated = {calls.repeated(value) for value in values} - {None}
    assert repeated <= {seen}
    assert (b"acme" in streamed.body) == (b"acme" in whole.body)


@given(st.sampled_from(CALLS), POLICIES, DOCUMENTS, st.booleans(), st.data())
def test_the_streamed_arguments_are_the_whole_ones_however_they_are_cut(
    calls: Calls, steps: list[Step], document: Json, escaped: bool, data: st.DataObject
) -> None:
    text = json.dumps(document, ensure_ascii=escaped)
    text = text.replace("@", "\\u0040") if escaped else text
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    check_law(calls, steps, text, pieces)


@pytest.mark.parametrize("calls", CALLS, ids=lambda one: one.spoken.format.path)
def test_the_law_finds_arguments_that_are_judged_as_they_are_written(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: what is behind an escape is not looked at."""
    monkeypatch.setattr(ArgumentsLane, "_judged", lambda _self, text: text)
    steps = [scan_step("mail", r"[a-z]{1,9}@[a-z]{1,9}\.com")]
    text = '{"to": "ann\\u0040acme.com"}'
    with pytest.raises(AssertionError):
        check_law(calls, steps, text, list(text))

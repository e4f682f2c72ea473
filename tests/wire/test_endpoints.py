"""A canary in every string of each API's description, and under names that it does not have.

The fixtures hold the names on the way to each string. Chat has its own test, which says more.
"""

import json
from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

import attrs
import pytest

from kt.wire.endpoints import FORMATS
from kt.wire.format import Format
from kt.wire.json_body import JsonValue
from kt.wire.segments import Tables, segments_of
from tests.support.tables import exempt_below

CANARY = "canary 7f3a"
Path = tuple[str | int, ...]

OTHERS = [one for path, one in FORMATS.items() if path != "/v1/chat/completions"]
STREAMED = [one for one in OTHERS if one.stream is not None and one.path != "/v1/completions"]
by_path = pytest.mark.parametrize("form", OTHERS, ids=lambda one: one.path)
by_streamed_path = pytest.mark.parametrize("form", STREAMED, ids=lambda one: one.path)


def name_of(form: Format) -> str:
    return form.path.rpartition("/")[2]


def paths(form: Format, what: str) -> list[Path]:
    file = File(__file__).with_name(f"{name_of(form)}_{what}_paths.json")
    return [tuple(path) for path in json.loads(file.read_text())["paths"]]


def planted(path: Path, leaf: Any = CANARY) -> JsonValue:
    """A body that has only this leaf."""
    value = leaf
    for part in reversed(path):
        value = {part: value} if isinstance(part, str) else [value]
    return value  # type: ignore[no-any-return]  # JSON


def misspelled(path: Path) -> Path:
    """The path with its last name in other case."""
    at = max(index for index, part in enumerate(path) if isinstance(part, str))
    return (*path[:at], str(path[at]).swapcase(), *path[at + 1 :])


def is_read(value: JsonValue, tables: Tables) -> bool:
    return any(segment.text == CANARY for segment in segments_of(value, tables))


def events(form: Format) -> Iterator[Path]:
    """Every place of a string in an event, after the event's type."""
    yield from paths(form, "event")
    if name_of(form) == "responses":
        yield from (("response.completed", "response", *path) for path in paths(form, "answer"))


def texts_of_event(form: Format, path: Path) -> list[str]:
    assert form.stream is not None
    kind, *rest = path
    body = planted(tuple(rest))
    assert isinstance(body, dict)
    chunk = form.stream.read({"type": kind, "index": 0, **body})
    whole = [one.segment.text for one in chunk.whole]
    return [delta.text for delta in chunk.growing] + whole


@by_path
def test_every_string_of_a_request_is_read(form: Format) -> None:
    unread = [path for path in paths(form, "request") if not is_read(planted(path), form.request)]
    assert unread == []


@by_path
def test_every_string_of_a_request_is_read_under_other_names(form: Format) -> None:
    others = [misspelled(path) for path in paths(form, "request")]
    unread = [path for path in others if not is_read(planted(path), form.request)]
    assert unread == []
    keys = [planted((*path[:-1], CANARY), "value") for path in others]
    assert [key for key in keys if not is_read(key, form.request)] == []


@by_path
def test_every_string_of_an_answer_is_read_or_the_providers_own(form: Format) -> None:
    wrong = [
        path
        for path in paths(form, "answer")
        if is_read(planted(path), form.answer) == exempt_below(path, form.answer)
    ]
    assert wrong == []


@by_path
def test_every_string_of_an_answer_is_read_under_other_names(form: Format) -> None:
    others = [misspelled(path) for path in paths(form, "answer")]
    wrong = [
        path
        for path in others
        if is_read(planted(path), form.answer) == exempt_below(path, form.answer)
    ]
    assert wrong == []


EXEMPT_IN_EVENTS = {
    "/v1/messages": {
        "content_block.id",
        "content_block.signature",
        "content_block.tool_use_id",
        "delta.container.expires_at",
        "delta.container.id",
        "delta.signature",
        "message.container.expires_at",
        "message.container.id",
        "message.id",
        "message.model",
        "message.usage.inference_geo",
    },
    "/v1/responses": {
        "annotation",
        "item.call_id",
        "item.container_id",
        "item.content.annotations",
        "item.content.logprobs",
        "item.id",
        "item_id",
        "logprobs",
        "obfuscation",
        "part.annotations",
        "part.logprobs",
        "response.conversation",
        "response.id",
        "response.instructions",
        "response.metadata",
        "response.model",
        "response.output.call_id",
        "response.output.container_id",
        "response.output.content.annotations",
        "response.output.content.logprobs",
        "response.output.id",
        "response.previous_response_id",
        "response.prompt",
        "response.prompt_cache_key",
        "response.safety_identifier",
        "response.text",
        "response.tool_choice",
        "response.tools",
        "response.user",
    },
}


@by_streamed_path
def test_every_string_of_an_event_is_read_or_one_of_these(form: Format) -> None:
    exempt = EXEMPT_IN_EVENTS[form.path]
    unread = {
        ".".join(part for part in path[1:] if isinstance(part, str))
        for path in events(form)
        if CANARY not in texts_of_event(form, path)
    }
    assert {name for name in unread if not any(_is_in(name, one) for one in exempt)} == set()
    assert {one for one in exempt if not any(_is_in(name, one) for name in unread)} == set()


def _is_in(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}.")


@by_path
def test_the_census_fails_for_a_format_that_exempts_a_place(form: Format) -> None:
    """Planted bug: a place that is never read."""
    place = paths(form, "request")[-1]
    names = tuple(part for part in place if isinstance(part, str))
    blind = attrs.evolve(form.request, exempt=frozenset({names}))
    assert is_read(planted(place), form.request)
    assert not is_read(planted(place), blind)


def test_every_format_has_its_path() -> None:
    assert {path: one.path for path, one in FORMATS.items()} == {path: path for path in FORMATS}

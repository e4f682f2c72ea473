"""A canary in every string of the API's schema, and under names that it does not have.

The fixtures hold the field names of the API's description; a canary is planted at each place where
it has a string, in a body that has nothing else.
"""

import json
from pathlib import Path as File
from typing import Any

import attrs
import pytest

from kt.wire.chat_tables import ANSWER, CHUNK, REQUEST
from kt.wire.choices import read_event
from kt.wire.json_body import JsonValue
from kt.wire.segments import Tables, segments_of

CANARY = "canary 7f3a"
Path = tuple[str | int, ...]


def paths(name: str) -> list[Path]:
    fixture = json.loads(File(__file__).with_name(f"chat_{name}_paths.json").read_text())
    return [tuple(path) for path in fixture["paths"]]


def planted(path: Path, leaf: Any = CANARY) -> JsonValue:
    """A body that has only this leaf."""
    value = leaf
    for part in reversed(path):
        value = {part: value} if isinstance(part, str) else [value]
    return value  # type: ignore[no-any-return]  # JSON


def texts(value: JsonValue, tables: Tables) -> list[str]:
    return [segment.text for segment in segments_of(value, tables)]


def case_changed(path: Path) -> Path:
    """The path with its last name in other case."""
    at = max(index for index, part in enumerate(path) if isinstance(part, str))
    return (*path[:at], str(path[at]).upper(), *path[at + 1 :])


def is_exempt(path: Path) -> bool:
    names = tuple(part for part in path if isinstance(part, str))
    return any(names[: len(place)] == place for place in ANSWER.exempt)


@pytest.mark.parametrize("path", paths("request"), ids=str)
def test_every_string_of_a_request_is_read(path: Path) -> None:
    assert texts(planted(path), REQUEST)[-1:] == [CANARY]
    assert CANARY in texts(planted(case_changed(path)), REQUEST)
    assert CANARY in texts(planted((*path[:-1], CANARY), "value"), REQUEST)


@pytest.mark.parametrize("path", paths("answer"), ids=str)
def test_every_string_of_an_answer_is_read_or_the_providers_own(path: Path) -> None:
    assert (CANARY in texts(planted(path), ANSWER)) != is_exempt(path)
    assert (CANARY in texts(planted((*path[:-1], CANARY), "value"), ANSWER)) != is_exempt(path[:-1])


@pytest.mark.parametrize("path", paths("chunk"), ids=str)
def test_every_string_of_a_chunk_is_read_or_the_providers_own(path: Path) -> None:
    read = read_event(CHUNK, planted(path))
    found = [delta.text for delta in read.growing] + [one.segment.text for one in read.whole]
    assert (CANARY in found) != is_exempt(path)


def test_the_exempt_places_are_these_and_no_others() -> None:
    exempt = {
        ".".join(part for part in path if isinstance(part, str))
        for path in paths("answer")
        if is_exempt(path)
    }
    assert exempt == {
        "id",
        "model",
        "object",
        "service_tier",
        "system_fingerprint",
        "choices.logprobs.content.token",
        "choices.logprobs.content.top_logprobs.token",
        "choices.logprobs.refusal.token",
        "choices.logprobs.refusal.top_logprobs.token",
        "choices.message.audio.id",
        "choices.message.tool_calls.id",
    }


def test_the_census_fails_for_a_format_that_exempts_a_name() -> None:
    """Planted bug: a name whose value is never read."""
    blind = attrs.evolve(REQUEST, exempt=frozenset({("messages", "content", "refusal")}))
    missed = [path for path in paths("request") if CANARY not in texts(planted(path), blind)]
    assert missed == [("messages", 0, "content", 0, "refusal")]


def test_words_of_an_enumeration_are_exempt_only_in_their_field() -> None:
    assert texts({"role": "user", "type": "text"}, REQUEST) == []
    assert texts({"type": "user", "name": "text", "role": "User"}, REQUEST) == [
        "user",
        "text",
        "User",
    ]


LONG = "QUJD" * 20


def test_payloads_are_exempt_in_their_fields_only() -> None:
    assert texts({"input_audio": {"data": LONG}}, REQUEST) == []
    assert texts({"content": LONG}, REQUEST) == [LONG]
    assert texts({"image_url": {"url": "data:image/png;base64," + LONG}}, REQUEST) == []

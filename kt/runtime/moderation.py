"""The protocol of moderation services: what one is told, and what its answer means.

In: segments, or the bytes of an answer. Out: the bytes of a question, or a verdict. Never: a guess.
An answer that is not exactly what docs/moderation.md says raises, and is the trouble `failed`.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import attrs

from kt.exchange import Segment
from kt.plan import Ask, Step
from kt.policy import ACTING, Edit, Outcome, Verdict
from kt.wire.json_body import JsonObject, JsonValue, parse_strict

FORMAT = 1
"""The version of the protocol."""
LABEL = "[MODERATED]"
"""What stands in place of a span for which the service names nothing."""
MAX_LABEL = 200
"""Characters of a label."""

OUTCOMES: Mapping[str, Outcome] = MappingProxyType(
    {
        one.value: one
        for one in (
            Outcome.ALLOW,
            Outcome.BLOCK,
            Outcome.REDACT,
            Outcome.ESCALATE,
            Outcome.FLAG,
            Outcome.WARN,
        )
    }
)
"""The words of `verdict`."""


class Unusable(Exception):
    """An answer that says nothing, or contradicts itself."""


@attrs.frozen(kw_only=True)
class About:
    """What a service is told of the request beside its text."""

    request_id: str = ""
    model: str = ""


def question(step: Step, segments: Sequence[Segment], about: About) -> bytes:
    """What is sent."""
    value = {
        "format": FORMAT,
        "request_id": about.request_id,
        "phase": step.phase.value,
        "policy": step.name,
        "model": about.model,
        "segments": [{"surface": one.surface.value, "text": one.text} for one in segments],
    }
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def verdict_of(answer: bytes, ask: Ask, order: int, segments: Sequence[Segment]) -> Verdict:
    """What an answer on these segments means; `order` is the step's. Raises on any other answer."""
    value = parse_strict(answer)
    if not isinstance(value, dict):
        raise Unusable("it is not an object")
    reached = _reached(value, ask)
    outcome = _outcome(value, ask, is_reached=bool(reached))
    edits = _edits(value.get("edits", []), order, segments)
    if bool(edits) != (outcome is Outcome.REDACT):
        raise Unusable("edits belong to redact, and redact needs some")
    is_record = outcome is not Outcome.ALLOW and ask.action not in ACTING
    return Verdict(
        outcome=Outcome(ask.action.value) if is_record else outcome,
        edits=() if is_record else edits,
        # Only a word of ours: the service's could be the text itself.
        rule=next((f"category.{name}" for name in reached if name in ask.categories), None),
        spans=tuple(edit.end - edit.start for edit in edits),
    )


def _outcome(value: JsonObject, ask: Ask, *, is_reached: bool) -> Outcome:
    word = value.get("verdict")
    if word is None and "categories" in value:
        return Outcome(ask.action.value) if is_reached else Outcome.ALLOW
    if not isinstance(word, str) or word not in OUTCOMES:
        raise Unusable("it has no verdict that is known")
    return OUTCOMES[word]


def _reached(value: JsonObject, ask: Ask) -> tuple[str, ...]:
    """The categories that count and whose score is the threshold or more."""
    scores = value.get("categories", {})
    if not isinstance(scores, dict) or not all(map(_is_score, scores.values())):
        raise Unusable("categories are names with scores from 0 to 1")
    names = ask.categories or tuple(scores)
    return tuple(name for name in names if _number(scores.get(name, 0)) >= ask.threshold)


def _number(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _is_score(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _edits(values: JsonValue, order: int, segments: Sequence[Segment]) -> tuple[Edit, ...]:
    if not isinstance(values, list):
        raise Unusable("edits are a list")
    texts = [one.text.encode() for one in segments] if values else []
    return tuple(_edit(value, order, texts) for value in values)


def _edit(value: JsonValue, order: int, texts: Sequence[bytes]) -> Edit:
    if not isinstance(value, dict):
        raise Unusable("an edit is an object")
    segment, start, end = (_whole(value.get(name)) for name in ("segment", "start", "end"))
    label = value.get("label", LABEL)
    if not isinstance(label, str) or len(label) > MAX_LABEL:
        raise Unusable("a label is a text, and not a long one")
    if segment >= len(texts) or not _is_span(texts[segment], start, end):
        raise Unusable("an edit covers whole characters of a segment, at least one")
    return Edit(segment=segment, start=start, end=end, label=label, order=order)


def _whole(value: JsonValue) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unusable("an edit has whole numbers")
    return value


def _is_span(text: bytes, start: int, end: int) -> bool:
    return start < end <= len(text) and _is_border(text, start) and _is_border(text, end)


def _is_border(text: bytes, at: int) -> bool:
    """Whether no character is cut there: none of its later bytes follows."""
    return at == len(text) or text[at] & 0xC0 != 0x80

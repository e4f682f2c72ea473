"""A comparison as text for people and as data for programs."""

import json
from collections.abc import Iterator
from typing import Any

import attrs

from kt.diff.changes import Changed
from kt.diff.looser import Answer, Looser, Proof
from kt.policy import Phase

FORMAT = 1
"""The version of the JSON form."""


@attrs.frozen
class Comparison:
    """Two plans, what changed between them and what can pass now."""

    old: str
    new: str
    """The plans' digests."""
    changed: tuple[Changed, ...]
    answer: Answer


def as_text(comparison: Comparison) -> str:
    """The comparison in lines, the verdict last."""
    return "\n".join(_lines(comparison)) + "\n"


def as_data(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON data."""
    return {
        "format": FORMAT,
        "old": comparison.old,
        "new": comparison.new,
        "changes": [attrs.asdict(change) for change in comparison.changed],
        "newly_allowed": {
            "proof": comparison.answer.proof.value,
            "tried": comparison.answer.tried,
            "found": [attrs.asdict(one) for one in comparison.answer.looser],
        },
    }


def _lines(comparison: Comparison) -> Iterator[str]:
    if comparison.old == comparison.new:
        yield "the two mean the same: their plans are equal"
        return
    part = ""
    for change in comparison.changed:
        if change.part != part:
            part = change.part
            yield part
        yield f"  {change.name}"
        yield f"    - {change.old}"
        yield f"    + {change.new}"
    yield from _verdict(comparison.answer)


def _verdict(answer: Answer) -> Iterator[str]:
    match answer.proof:
        case Proof.PROVED:
            yield "nothing newly allowed (proved: every rule that acted still acts as strongly)"
        case Proof.NOT_FOUND:
            yield f"newly allowed: none found in {answer.tried} generated requests"
        case Proof.FOUND:
            yield "newly allowed"
            for one in answer.looser:
                yield from _looser(one)


def _looser(one: Looser) -> Iterator[str]:
    reason = f" ({one.reason})" if one.reason else ""
    yield f"  {one.phase} {one.policy}{reason}: {one.old} before, {one.new} now"
    if one.witness is not None:
        yield f"    witness {_witness(one.phase, one.witness)}"


def _witness(phase: str, text: str) -> str:
    """A text as the request, or as the answer, that shows the difference."""
    if phase == Phase.OUTPUT.value:
        return f"answer: {json.dumps(text)}"
    messages = [{"role": "user", "content": text}]
    return f"request: {json.dumps({'model': 'any', 'messages': messages})}"

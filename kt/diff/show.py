"""A comparison as text for people and as data for programs."""

import json
from collections.abc import Iterator
from typing import Any

import attrs

from kt.diff.changes import Changed
from kt.diff.looser import Answer, Looser, Proof
from kt.diff.witness import MODEL
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
        yield from _witness(one, one.witness)


def _witness(one: Looser, text: str) -> Iterator[str]:
    """A text as the request, or as the answer, that shows the difference."""
    messages = [{"role": "user", "content": text}]
    body = json.dumps({"model": MODEL, "messages": messages})
    if one.phase == Phase.OUTPUT.value:
        yield f"    witness answer: {json.dumps(text)}"
    elif one.request is None:
        yield f"    witness request: {body}"
    if one.request is not None:
        is_asked = one.phase == Phase.INPUT.value
        yield f"    {'witness' if is_asked else 'to the'} request: {one.request.body}"
        for name, value in one.request.headers:
            yield f"      with header {name}: {value}"

"""The protocol of moderation services: every answer means one thing, or is trouble."""

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.errors import GatewayError
from kt.exchange import Segment, Surface
from kt.plan import Ask, SecretFrom, SecretRef
from kt.policy import Action, Edit, Outcome, Phase, Verdict
from kt.runtime.moderation import MAX_LABEL, About, Unusable, question, verdict_of
from tests.support.plans import ask_step

# Any: JSON.

TEXTS = ("plain", "häßlich 😀")
SEGMENTS = tuple(Segment(Surface.USER, text, ()) for text in TEXTS)
ASK = Ask(
    endpoint="https://moderation.example.com/v1/judge",
    secret=SecretRef(source=SecretFrom.ENV, name="MODERATION_KEY"),
    action=Action.BLOCK,
    categories=("hate", "violence"),
    threshold=0.5,
    message="refused",
)


def judged(value: Any, ask: Ask = ASK) -> Verdict:
    return verdict_of(json.dumps(value).encode(), ask, 7, SEGMENTS)


def edit(**changes: Any) -> dict[str, Any]:
    return {"segment": 0, "start": 0, "end": 5, "label": "[X]", **changes}


def test_a_question_says_what_the_page_says() -> None:
    step = ask_step("m", ASK, phase=Phase.INPUT)
    asked = json.loads(question(step, SEGMENTS, About(request_id="r-1", model="gpt")))
    assert asked == {
        "format": 1,
        "request_id": "r-1",
        "phase": "input",
        "policy": "m",
        "model": "gpt",
        "segments": [{"surface": "user", "text": text} for text in TEXTS],
    }


@pytest.mark.parametrize("word", ["allow", "block", "escalate", "flag", "warn"])
def test_a_verdict_is_taken_as_it_is(word: str) -> None:
    assert judged({"verdict": word}) == Verdict(outcome=Outcome(word))


def test_a_redaction_is_edits_of_the_text_that_was_sent() -> None:
    verdict = judged({"verdict": "redact", "edits": [edit(), edit(segment=1, start=1, end=5)]})
    assert verdict.outcome is Outcome.REDACT
    assert verdict.edits == (
        Edit(segment=0, start=0, end=5, label="[X]", order=7),
        Edit(segment=1, start=1, end=5, label="[X]", order=7),
    )
    assert verdict.spans == (5, 4)


@pytest.mark.parametrize(
    ("scores", "outcome", "rule"),
    [
        ({"hate": 0.5}, Outcome.BLOCK, "category.hate"),
        ({"hate": 0.49, "violence": 1}, Outcome.BLOCK, "category.violence"),
        ({"hate": 0.49}, Outcome.ALLOW, None),
        ({"other": 1.0}, Outcome.ALLOW, None),
        ({}, Outcome.ALLOW, None),
    ],
)
def test_scores_alone_are_held_against_the_threshold(
    scores: dict[str, float], outcome: Outcome, rule: str | None
) -> None:
    assert judged({"categories": scores}) == Verdict(outcome=outcome, rule=rule)


def test_without_categories_of_our_own_each_counts_and_none_is_written_down() -> None:
    every = attrs.evolve(ASK, categories=())
    verdict = judged({"categories": {"my name is Ada": 0.9}}, every)
    assert verdict == Verdict(outcome=Outcome.BLOCK)


def test_a_verdict_stands_whatever_the_scores_are() -> None:
    assert judged({"verdict": "allow", "categories": {"hate": 1}}).outcome is Outcome.ALLOW


@pytest.mark.parametrize("action", [Action.FLAG, Action.WARN, Action.LOG])
@pytest.mark.parametrize("word", ["block", "escalate", "redact", "flag"])
def test_who_only_records_records_whatever_the_service_wants(action: Action, word: str) -> None:
    edits = [edit()] if word == "redact" else []
    verdict = judged({"verdict": word, "edits": edits}, attrs.evolve(ASK, action=action))
    assert (verdict.outcome, verdict.edits) == (Outcome(action.value), ())


UNUSABLE: tuple[Any, ...] = (
    None,
    [],
    "allow",
    {},
    {"verdict": "log"},
    {"verdict": "late"},
    {"verdict": "ALLOW"},
    {"verdict": 1},
    {"verdict": None},
    {"verdict": "allow", "edits": None},
    {"verdict": "allow", "edits": [edit()]},
    {"verdict": "block", "edits": [edit()]},
    {"verdict": "redact"},
    {"verdict": "redact", "edits": []},
    {"verdict": "redact", "edits": ["x"]},
    {"verdict": "redact", "edits": [edit(segment=2)]},
    {"verdict": "redact", "edits": [edit(segment=-1)]},
    {"verdict": "redact", "edits": [edit(segment=True)]},
    {"verdict": "redact", "edits": [edit(start=0.0)]},
    {"verdict": "redact", "edits": [edit(start=5)]},
    {"verdict": "redact", "edits": [edit(start=4, end=3)]},
    {"verdict": "redact", "edits": [edit(end=6)]},
    {"verdict": "redact", "edits": [edit(segment=1, start=2, end=5)]},
    {"verdict": "redact", "edits": [edit(segment=1, start=1, end=2)]},
    {"verdict": "redact", "edits": [edit(label=None)]},
    {"verdict": "redact", "edits": [edit(label="x" * (MAX_LABEL + 1))]},
    {"verdict": "redact", "edits": [{"segment": 0, "start": 0}]},
    {"categories": []},
    {"categories": {"hate": "high"}},
    {"categories": {"hate": True}},
    {"categories": {"hate": 1.5}},
    {"categories": {"hate": -0.1}},
)


@pytest.mark.parametrize("value", UNUSABLE, ids=json.dumps)
def test_any_other_answer_is_trouble(value: Any) -> None:
    with pytest.raises(Unusable):
        judged(value)


def test_scores_that_want_a_redaction_without_its_place_are_trouble() -> None:
    with pytest.raises(Unusable):
        judged({"categories": {"hate": 1}}, attrs.evolve(ASK, action=Action.REDACT))


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"verdict":"allow","verdict":"block"}', b'{"verdict":"allow"', b"\xff"],
)
def test_what_is_no_json_or_has_two_meanings_is_trouble(body: bytes) -> None:
    with pytest.raises(GatewayError):
        verdict_of(body, ASK, 0, SEGMENTS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 20) | st.floats(0, 2) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "verdict": st.sampled_from(["allow", "block", "redact", "escalate", "flag", "log"]) | JSON,
        "categories": st.dictionaries(st.sampled_from(["hate", "x"]), st.floats(0, 1)) | JSON,
        "edits": st.lists(
            st.fixed_dictionaries(
                {
                    "segment": st.integers(0, 2),
                    "start": st.integers(0, 14),
                    "end": st.integers(0, 14),
                },
            ),
            max_size=3,
        )
        | JSON,
        "message": JSON,
    },
)


@given(ANSWERS, st.sampled_from(Action))
def test_whatever_it_says_edits_cover_whole_characters(value: Any, action: Action) -> None:
    try:
        verdict = judged(value, attrs.evolve(ASK, action=action))
    except Unusable:
        return
    assert (verdict.outcome is Outcome.REDACT) == bool(verdict.edits)
    for one in verdict.edits:
        data = TEXTS[one.segment].encode()
        assert data[one.start : one.end].decode()
        data[: one.start].decode()
    assert verdict.rule in (None, "category.hate", "category.violence")

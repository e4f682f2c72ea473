"""Explain: it prints what the plan holds."""

import re

import attrs
import pytest

from kt.compiler.optimizer import RULES
from kt.explain import explain_text
from kt.plan import SecretFrom, SecretRef, Stage
from kt.policy import Action, Phase
from tests.support.cases import FIXTURES
from tests.support.plans import ASK, ask_step, limit, plan, record_step, scan_step, target


def line_with(text: str, word: str) -> str:
    """The one line that holds a word."""
    (line,) = [line for line in text.splitlines() if word in line]
    return line


def test_the_first_line_says_that_the_format_may_change() -> None:
    assert (
        explain_text(plan()).splitlines()[0] == "PLAN test@1.0.0  (format may change; use --json)"
    )


def test_a_plan_that_is_switched_off_says_so() -> None:
    text = explain_text(attrs.evolve(plan(), enabled=False))
    assert "switched off" in text.splitlines()[0]


def test_steps_are_shown_in_running_order_with_everything_that_decides() -> None:
    step = attrs.evolve(
        scan_step("first", "abc", action=Action.BLOCK, phase=Phase.INPUT, order=5),
        limit=limit(0.25),
        because=("moved by blocking_first: was 2",),
        origin="kt.yaml:3:4",
    )
    text = explain_text(plan(step, scan_step("second", "a", "b", phase=Phase.INPUT), record_step()))
    assert re.split(r" {2,}", line_with(text, "1 block"))[1:] == [
        "1 block",
        "first",
        "1 rule",
        "within 250ms (test)",
        "on trouble block",
        "kt.yaml:3:4",
        "moved by blocking_first: was 2",
    ]
    assert text.index("1 block") < text.index("2 redact")
    assert "every request" in line_with(text, "audit-logger")


@pytest.mark.parametrize(
    ("patterns", "held"),
    [
        (("abcd",), "at most 3B"),
        (("abcd", "a{10}"), "at most 9B"),
        (("abcd", "ab*c"), "up to the cap 64KB"),
    ],
)
def test_an_output_step_says_how_much_it_may_hold(patterns: tuple[str, ...], held: str) -> None:
    text = explain_text(plan(scan_step("step", *patterns)))
    assert f"holds {held}" in line_with(text, "1 redact")


def test_the_cap_bounds_what_is_held() -> None:
    text = explain_text(plan(scan_step("step", "a{100}"), hold=10))
    assert "holds up to the cap 10B" in line_with(text, "1 redact")
    assert "step.0 would hold 99B; cap: test" in line_with(text, "all together")


def test_an_answer_that_is_kept_whole_is_held_whole() -> None:
    text = explain_text(plan(scan_step("step", "ab"), keep_answer_whole=True))
    assert "holds the whole answer" in line_with(text, "1 redact")
    assert "the whole answer: it is collected" in line_with(text, "  first text  ")
    assert "collected and sent whole" in text


def test_a_target_shows_the_name_of_its_secret_only() -> None:
    secret = SecretRef(source=SecretFrom.ENV, name="MY_KEY")
    one = attrs.evolve(target("a", "http://x", "gpt"), secret=secret)
    shown = line_with(explain_text(plan(targets=(one, target("b")))), "http://x")
    assert "model gpt" in shown
    assert "key from env MY_KEY in authorization" in shown


@pytest.mark.parametrize("name", ["queue", "connect", "policy", "send", "drain", "inter_chunk"])
def test_every_limit_is_shown_with_its_origin(name: str) -> None:
    lines = explain_text(plan(**{name: 0.5})).splitlines()  # type: ignore[arg-type]
    (shown,) = [line for line in lines if line.startswith(f"  {name} ")]
    assert shown.split() == [name, "500ms", "test"]


def test_a_changed_plan_is_explained_differently() -> None:
    """Explain prints the plan: whatever the digest covers of limits and sizes shows."""
    one = plan()
    for other in (plan(hold=7), plan(request_body=7), plan(max_queue=7), plan(max_concurrent=7)):
        lines = set(explain_text(other).splitlines()) - set(explain_text(one).splitlines())
        assert len(lines) == 2  # the digest and the number itself


def test_steps_that_start_together_share_a_number() -> None:
    steps = tuple(scan_step(name, "a", phase=Phase.INPUT) for name in ("one", "two"))
    whole = attrs.evolve(plan(), input=(Stage(steps=steps),))
    text = explain_text(whole)
    assert line_with(text, "one ").startswith("  1.1 redact")
    assert line_with(text, "two ").startswith("  1.2 redact")


def test_what_can_never_happen_is_said() -> None:
    three = tuple(target(name) for name in "abc")
    text = explain_text(plan(targets=three, queue=10.0, connect=5.0, request=20.0))
    assert "  target 3 (c) can never start inside request 20s" in text


def test_every_rule_of_the_optimizer_has_its_heading_and_its_cases() -> None:
    docs = (FIXTURES.parent / "docs" / "explain.md").read_text()
    for rule in RULES:
        name = getattr(rule, "__name__", "")
        assert f"### {name}\n" in docs
        assert list((FIXTURES / "optimize" / name).glob("*.case"))


def test_a_question_shows_who_is_asked_what_leaves_and_never_a_key() -> None:
    secret = SecretRef(source=SecretFrom.ENV, name="MODERATION_KEY")
    signed = attrs.evolve(ASK, secret=secret, categories=())
    text = explain_text(plan(ask_step("a", signed), ask_step("b", ASK, phase=Phase.OUTPUT)))
    assert (
        "asks http://moderation.test:8080/v1/judge, signed with MODERATION_KEY,"
        " every category from 0.5, sends redacted text  "
    ) in text
    assert "unsigned, hate from 0.5, sends redacted text, whole answers only" in text

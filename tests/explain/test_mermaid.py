"""The flow chart: every step and target is there, and no name can break out of its label."""

import re

import attrs

from kt.explain import mermaid_text
from kt.plan import Stage
from kt.policy import Phase
from tests.support.plans import ASK, ask_step, plan, record_step, scan_step, target


def test_a_plan_is_drawn_from_the_request_to_the_record() -> None:
    one, two = (scan_step(name, "a", phase=Phase.INPUT) for name in ("one", "two"))
    whole = plan(scan_step("out", "a"), record_step(), targets=(target("a"), target("b")))
    grouped = attrs.evolve(whole, input=(Stage(steps=(one, two), group="screen"),))
    text = mermaid_text(grouped)
    for wanted in (
        'subgraph input1["all of screen"]',
        'input1_2["redact two, within 2s"]',
        "request --> input1",
        "input1 --> upstream",
        "target1 -.->|cannot be reached| target2",
        "upstream --> output1",
        "output1 --> answer",
        "answer -.-> audit1",
    ):
        assert wanted in text
    assert text.count("subgraph") == text.count("  end\n")


def test_a_condition_stands_in_the_label() -> None:
    step = scan_step("one", "a", phase=Phase.INPUT, when='header["x-a"] == "b"')
    label = "redact one, within 2s, only when header[#quot;x-a#quot;] == #quot;b#quot;"
    assert f'  input1["{label}"]' in mermaid_text(plan(step))


def test_a_plan_of_nothing_is_a_picture_too() -> None:
    whole = plan()
    assert "request --> upstream" in mermaid_text(whole)


def test_a_name_cannot_break_out_of_its_label() -> None:
    step = scan_step('x"]; click a "javascript:', "a", phase=Phase.INPUT)
    (line,) = re.findall(r"  input1\[.*", mermaid_text(plan(step)))
    assert line.count('"') == 2


def test_a_question_is_drawn_like_any_step() -> None:
    assert 'input1["block service, within 1s"]' in mermaid_text(plan(ask_step("service", ASK)))

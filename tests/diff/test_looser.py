"""What can pass now: found with a witness, proved to be nothing, or not found."""

import itertools
import json
from types import MappingProxyType

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.diff import looser
from kt.diff.looser import Proof, newly_allowed
from kt.diff.witness import Sent
from kt.filters.analysis import Claim
from kt.filters.facts import FilterFacts
from kt.filters.forms import Value
from kt.filters.solving import Answer
from kt.plan import Plan, Scan, Step
from kt.policy import Action, OnTrouble, Outcome, Phase
from tests.support import naive
from tests.support.plans import ASK, ask_step, condition, limit, plan, scan_step, target

PATTERNS = ("ab", "b+a", "a{2,3}", "ba|bb")
TEXTS = ("a", "ab", "ba", "bb", "aa", "abba", "aab", "bbaa", "b a", "xabx")
ACTIONS = (Action.BLOCK, Action.ESCALATE, Action.REDACT, Action.FLAG)


def step(
    action: Action,
    *patterns: str,
    order: int = 0,
    on_trouble: OnTrouble = OnTrouble.BLOCK,
    seconds: float = 2.0,
    when: str | None = None,
) -> Step:
    """A step of the input phase."""
    made = scan_step(
        f"p{order}", *patterns, action=action, phase=Phase.INPUT, order=order, when=when
    )
    return attrs.evolve(made, on_trouble=on_trouble, limit=limit(seconds))


CONDITIONS = (
    None,
    None,
    'header["x-env"] == "prod"',
    'header["x-env"] in ["prod", "test"]',
    'not header["x-env"] == "prod"',
    "request.stream",
    'request.stream and header["x-env"] == "prod"',
    'user.team == "red" or request.temperature > 0.5',
    'request.model starts_with "gpt-" and request.messages.count >= 2',
    "request.text.length > 40",
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans of up to two policies."""
    steps = [
        step(
            draw(st.sampled_from(ACTIONS)),
            *draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3, unique=True)),
            order=order,
            when=draw(st.sampled_from(CONDITIONS)),
        )
        for order in range(draw(st.integers(0, 2)))
    ]
    return plan(*steps)


def check_sound(old: Plan, new: Plan) -> None:
    """A proof is never refuted; a witness really shows it."""
    answer = newly_allowed(old, new, 100)
    if answer.proof is Proof.PROVED:
        assert not any(is_looser(old, new, one, text) for one in EVERY_REQUEST for text in TEXTS)
    for one in answer.looser:
        if one.witness is not None:
            assert is_looser(old, new, facts_of_sent(one.request), one.witness)


def is_looser(old: Plan, new: Plan, facts: FilterFacts, text: str) -> bool:
    """Whether the new plan refuses a text no more, or redacts none of it, by the naive reading."""
    before, after = naive_of(old, facts, text), naive_of(new, facts, text)
    is_freed = bool(before.may_be_named) and not after.may_be_named
    return is_freed or (before.outcome is Outcome.REDACT and after.texts == (text,))


def naive_of(the_plan: Plan, facts: FilterFacts, text: str) -> naive.NaiveResult:
    """What the input phase of a plan comes to."""
    scans = [(one, one.body) for one in the_plan.steps(Phase.INPUT) if isinstance(one.body, Scan)]
    policies = [
        naive.NaivePolicy(name=one.name, rules=body.rules, action=body.action, when=one.when)
        for one, body in scans
    ]
    return naive.decide(naive.applying(policies, facts), [text])


EVERY_REQUEST = tuple(
    FilterFacts(MappingProxyType({name: value for name, value in chosen if value is not None}))
    for chosen in itertools.product(
        *(
            [(name, value) for value in values]
            for name, values in {
                'header["x-env"]': ("prod", "test", None),
                "request.stream": (True, None),
                "user.team": ("red", None),
                "request.temperature": (1.0, None),
                "request.model": ("gpt-4", "m"),
                "request.messages.count": (1, 2),
                "request.text.length": (9, 41),
            }.items()
        )
    )
)


def facts_of_sent(sent: Sent | None) -> FilterFacts:
    """What conditions see of a witness, stated by hand."""
    values: dict[str, Value] = {"request.path": "/v1/chat/completions", "request.model": "any"}
    if sent is not None:
        body, headers = json.loads(sent.body), dict(sent.headers)
        texts = [one["content"] for one in body["messages"]]
        values["request.messages.count"] = len(texts)
        values["request.text.length"] = len("".join([body["model"], *texts]).encode())
        values |= {f"request.{name}": body[name] for name in body if name != "messages"}
        values |= {f'header["{name}"]': value for name, value in headers.items()}
        values |= {"user.team": headers["x-team"]} if "x-team" in headers else {}
    return FilterFacts(MappingProxyType(values))


@given(plans(), plans())
def test_no_proof_is_refuted_and_every_witness_holds(old: Plan, new: Plan) -> None:
    check_sound(old, new)


@given(plans())
def test_a_plan_allows_nothing_that_itself_refuses(the_plan: Plan) -> None:
    assert newly_allowed(the_plan, the_plan, 10).proof is Proof.PROVED


def test_the_law_finds_a_proof_that_ignores_the_action(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a rule that only records counts as one that blocks."""
    old, new = plan(step(Action.BLOCK, "ab")), plan(step(Action.FLAG, "ab"))
    assert newly_allowed(old, new, 10).proof is Proof.FOUND
    monkeypatch.setattr(looser, "_strength", lambda _: 3)
    with pytest.raises(AssertionError):
        check_sound(old, new)


def test_a_lost_rule_is_shown_with_a_text() -> None:
    answer = newly_allowed(plan(step(Action.BLOCK, "ab", "cd")), plan(step(Action.BLOCK, "ab")), 10)
    (found,) = answer.looser
    assert (found.policy, found.reason, found.witness) == ("p0", "rule p0.1", "cd")
    assert (found.old, found.new) == ("block", "allow")


def test_a_stronger_action_is_nothing_new() -> None:
    old, new = plan(step(Action.REDACT, "ab")), plan(step(Action.BLOCK, "ab", "cd"))
    assert newly_allowed(old, new, 10).proof is Proof.PROVED


def test_a_lost_rule_that_another_one_covers_is_not_claimed_to_be_proved() -> None:
    old, new = plan(step(Action.BLOCK, "aab")), plan(step(Action.BLOCK, "ab"))
    answer = newly_allowed(old, new, 40)
    assert (answer.proof, answer.looser, answer.tried) == (Proof.NOT_FOUND, (), 40)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (step(Action.BLOCK, "ab"), step(Action.BLOCK, "ab", on_trouble=OnTrouble.ALLOW)),
        (
            step(Action.BLOCK, "ab", on_trouble=OnTrouble.ALLOW, seconds=2.0),
            step(Action.BLOCK, "ab", on_trouble=OnTrouble.ALLOW, seconds=1.0),
        ),
    ],
)
def test_an_opened_gate_is_told_without_a_text(old: Step, new: Step) -> None:
    (found,) = newly_allowed(plan(old), plan(new), 10).looser
    assert found.witness is None
    assert newly_allowed(plan(new), plan(old), 10).proof is Proof.PROVED


def test_a_larger_limit_lets_larger_texts_in() -> None:
    (found,) = newly_allowed(plan(hold=10), plan(hold=11), 10).looser
    assert (found.policy, found.reason) == ("stream_hold", "stream_hold grew from 10 to 11 bytes")


# ---- Conditions

PROD = 'header["x-env"] == "prod"'
PROD_STREAM = f"{PROD} and request.stream"


def test_a_path_that_is_forwarded_unread_now_is_told() -> None:
    closed = plan()
    opened = attrs.evolve(closed, passthrough=("/v1/files/*",))
    (found,) = newly_allowed(closed, opened, 10).looser
    assert (found.phase, found.policy, found.new) == ("passthrough", "/v1/files/*", "allowed")
    assert newly_allowed(opened, opened, 10).proof is Proof.PROVED
    assert newly_allowed(opened, closed, 10).proof is Proof.PROVED


def blocking(when: str | None, order: int = 0) -> Step:
    """A step that blocks for some requests."""
    return step(Action.BLOCK, "ab", order=order, when=when)


def test_a_condition_that_says_the_same_in_other_words_is_proved() -> None:
    old, new = plan(blocking(PROD_STREAM)), plan(blocking(f"request.stream and {PROD}"))
    assert newly_allowed(old, new, 10).proof is Proof.PROVED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([PROD_STREAM], [PROD]),
        ([PROD], [None]),
        ([None], [PROD, f"not {PROD}"]),
        (["request.max_tokens > 10"], ["request.max_tokens > 5"]),
    ],
)
def test_more_requests_are_nothing_new_and_fewer_are(
    old: list[str | None], new: list[str | None]
) -> None:
    narrow = plan(*(blocking(when, order) for order, when in enumerate(old)))
    wide = plan(*(blocking(when, order) for order, when in enumerate(new)))
    assert newly_allowed(narrow, wide, 10).proof is Proof.PROVED
    if len(new) == 1:
        (found,) = newly_allowed(wide, narrow, 10).looser
        assert (found.policy, found.witness, found.reason) == ("p0", "ab", "for fewer requests")


def test_a_witness_is_a_request_that_the_old_condition_is_for() -> None:
    old, new = plan(blocking(PROD)), plan(blocking(f"{PROD} and request.temperature < 1"))
    (found,) = newly_allowed(old, new, 10).looser
    assert found.request is not None
    assert found.request.headers == (("x-env", "prod"),)
    assert "temperature" not in json.loads(found.request.body)


def test_what_cannot_be_sent_is_no_witness() -> None:
    old, new = plan(blocking('user.groups contains "a"')), plan(blocking(PROD))
    assert newly_allowed(old, new, 10).proof is Proof.NOT_FOUND


def test_trouble_of_steps_that_are_never_for_one_request_is_told_apart() -> None:
    old = plan(blocking(PROD))
    opened = attrs.evolve(blocking(None), on_trouble=OnTrouble.ALLOW)
    apart = attrs.evolve(opened, when=condition(f"not {PROD}"))
    assert any("evaluate" in one.reason for one in newly_allowed(old, plan(opened), 10).looser)
    assert not any("evaluate" in one.reason for one in newly_allowed(old, plan(apart), 10).looser)


def test_a_condition_on_a_provider_is_another_one_where_others_are_asked() -> None:
    asked = scan_step("p", "ab", action=Action.BLOCK, when='provider.id == "a"')
    old, new = plan(asked, targets=(target("a"),)), plan(asked, targets=(target("b"),))
    assert newly_allowed(old, old, 10).proof is Proof.PROVED
    (found,) = newly_allowed(old, new, 10).looser
    assert (found.phase, found.witness) == ("output", "ab")


def test_the_law_finds_a_proof_that_ignores_the_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: whatever a step asks, it is taken to be for all requests of the old one."""
    old, new = plan(blocking(None)), plan(blocking('header["x-env"] == "prod"'))
    check_sound(old, new)
    looser._is_covered.cache_clear()
    monkeypatch.setattr(looser, "implies", lambda first, second: Claim(Answer.YES))
    with pytest.raises(AssertionError):
        check_sound(old, new)
    looser._is_covered.cache_clear()


def test_rules_that_are_looked_for_less_often_have_one_witness_together() -> None:
    rules = ("ab", "cd", "ef")
    old, narrow = (plan(step(Action.BLOCK, *rules, when=when)) for when in (None, PROD))
    assert len(newly_allowed(old, narrow, 10).looser) == 1
    assert len(newly_allowed(old, plan(), 10).looser) == 3


SERVICE = ask_step("service", ASK)


@pytest.mark.parametrize(
    "new",
    [
        plan(),
        plan(attrs.evolve(SERVICE, when=condition("request.stream"))),
        plan(attrs.evolve(SERVICE, body=attrs.evolve(ASK, threshold=0.9))),
        plan(attrs.evolve(SERVICE, body=attrs.evolve(ASK, endpoint="http://other.test/"))),
    ],
)
def test_what_a_service_would_say_is_not_known_so_nothing_is_proved(new: Plan) -> None:
    assert newly_allowed(plan(SERVICE), new, 10).proof is not Proof.PROVED


def test_a_service_that_is_asked_the_same_proves_nothing_away() -> None:
    more = scan_step("more", "ab", action=Action.BLOCK, phase=Phase.INPUT)
    assert newly_allowed(plan(SERVICE), plan(SERVICE, more), 10).proof is Proof.PROVED

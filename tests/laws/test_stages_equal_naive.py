"""Whatever a policy may declare, whoever answers first: the plan decides as the naive order does.

Generated facts, groups, conditions and verdicts go through the optimizer; the stages that come out
are run by the real engine for every completion order of the steps that wait.
"""

import itertools
from collections.abc import Awaitable, Iterator
from types import MappingProxyType

import attrs
import pytest
import trio
from hypothesis import example, given
from hypothesis import strategies as st
from trio.testing import MockClock

from kt.compiler.optimizer import RULES
from kt.compiler.optimizer.run import run
from kt.compiler.optimizer.split_waiting import split_waiting
from kt.compiler.program import Program
from kt.exchange import Segment, Surface
from kt.filters.facts import FilterFacts
from kt.filters.syntax import Filter
from kt.patterns.scanner import IsOver
from kt.plan import Stage, Step
from kt.policy import Action, Cost, Edit, Facts, OnTrouble, Outcome, Phase, Sees, Verdict
from kt.runtime import engine
from kt.runtime import redacted as redacted_text
from kt.runtime.engine import Askers, BoundStep, PolicyBudget, bind, judge
from kt.runtime.settle import Decision, Judged
from tests.support.naive_phase import (
    NOTHING_KNOWN,
    NaivePhase,
    Scripted,
    answer,
    decide,
    edit_at,
)
from tests.support.plans import condition, scan_step
from tests.support.programs import program_of

TEXT = "abcd"
FIRST = 0.01
"""How long the step waits that answers first; a whole phase waits far less than its budget."""
ACTIONS = (
    Outcome.BLOCK,
    Outcome.BLOCK,
    Outcome.ESCALATE,
    Outcome.REDACT,
    Outcome.REDACT,
    Outcome.FLAG,
)
TROUBLE = (None, None, None, Outcome.LATE, Outcome.FAILED, Outcome.UNEVALUABLE)
STREAM = condition("request.stream")
CONDITIONS = (
    None,
    None,
    None,
    STREAM,
    condition("not request.stream"),
    condition('request.model in ["m", "n"]'),
    condition('exists(request.model) or header["x-a"] == "1"'),
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "request.stream": st.sampled_from([True, False, None]),
        "request.model": st.sampled_from(["m", "x"]),
        'header["x-a"]': st.sampled_from(["1", "2"]),
    },
).map(lambda values: FilterFacts(MappingProxyType(values)))


@attrs.frozen(kw_only=True)
class Member:
    """A policy, what it costs, and the group that it is declared in."""

    policy: Scripted
    cost: Cost
    group: str | None = None
    free_order: bool = False

    def step(self) -> Step:
        """The policy as the compiler sees it."""
        policy = self.policy
        facts = Facts(
            surfaces=frozenset(),
            can_block=policy.outcome in (Outcome.BLOCK, Outcome.ESCALATE),
            edits=policy.outcome is Outcome.REDACT,
            has_effects=policy.acts,
            cost=self.cost,
            sees=Sees.REDACTED if policy.sees_redacted else Sees.ORIGINAL,
            free_order=policy.acts and self.free_order,
        )
        step = scan_step(policy.name, policy.needle, phase=Phase.INPUT, order=policy.order)
        return attrs.evolve(step, facts=facts, on_trouble=policy.on_trouble, when=policy.when)


@st.composite
def members(draw: st.DrawFn) -> tuple[Member, ...]:
    """Up to six policies, of which at most three wait."""
    made: list[Member] = []
    for order in range(draw(st.integers(0, 6))):
        waiting = sum(one.cost is not Cost.INLINE for one in made)
        outcome = draw(st.sampled_from(ACTIONS))
        policy = Scripted(
            name=f"p{order}",
            order=order,
            needle=draw(st.sampled_from("abcdxx")),
            outcome=outcome,
            acts=draw(st.booleans()),
            sees_redacted=draw(st.booleans()),
            on_trouble=draw(st.sampled_from(OnTrouble)),
            trouble=draw(st.sampled_from(TROUBLE)),
            when=draw(st.sampled_from(CONDITIONS)),
        )
        cost = draw(st.sampled_from([Cost.INLINE, Cost.NETWORK])) if waiting < 3 else Cost.INLINE
        group = draw(st.sampled_from([None, "g", "g"]))
        is_free = draw(st.booleans())
        made.append(Member(policy=policy, cost=cost, group=group, free_order=is_free))
    return tuple(made)


def optimized(found: tuple[Member, ...], rules: tuple[object, ...] = RULES) -> tuple[Stage, ...]:
    """The stages of the plan."""
    program: Program = program_of([one.step() for one in found], [one.group for one in found])
    for rule in rules:
        program = rule(program)  # type: ignore[operator]
    return program.phase(Phase.INPUT)


def bound(member: Member, step: Step, delay: float, ran: list[str]) -> BoundStep:
    """The step with a check that answers as its policy, and says that it ran."""
    policy = member.policy

    def verdict(segments: tuple[Segment, ...]) -> Verdict:
        seen = segments[0].text
        outcome = answer(policy, seen)
        edits: tuple[Edit, ...] = ()
        if outcome is Outcome.REDACT:
            at = seen.index(policy.needle)
            edits = (edit_at(policy, at),)
        return Verdict(outcome=outcome, edits=edits)

    def now(segments: tuple[Segment, ...], is_over: IsOver) -> Verdict:
        ran.append(policy.name)
        return verdict(segments)

    async def later(segments: tuple[Segment, ...]) -> Verdict:
        ran.append(policy.name)
        await trio.sleep(delay)
        return verdict(segments)

    def soon(segments: tuple[Segment, ...], is_over: IsOver) -> Awaitable[Verdict]:
        return later(segments)

    return BoundStep(step, soon if member.cost is Cost.NETWORK else now)


def outcomes(
    found: tuple[Member, ...], stages: tuple[Stage, ...], facts: FilterFacts
) -> Iterator[tuple[Decision, frozenset[str]]]:
    """The decision and the effects that ran, for every completion order."""
    by_name = {one.policy.name: one for one in found}
    waiting = [one.policy.name for one in found if one.cost is Cost.NETWORK]
    for order in itertools.permutations(range(1, len(waiting) + 1)):
        delays = dict(zip(waiting, order, strict=True))
        ran: list[str] = []
        run_now = tuple(
            tuple(
                bound(by_name[step.name], step, FIRST * delays.get(step.name, 0), ran)
                for step in stage.steps
            )
            for stage in stages
        )
        clock = MockClock(autojump_threshold=0)
        decision = trio.run(decided, run_now, facts, clock=clock)
        yield decision, frozenset(name for name in ran if by_name[name].policy.acts)


async def decided(stages: tuple[tuple[BoundStep, ...], ...], facts: FilterFacts) -> Decision:
    """Run a phase of one user's text."""
    budget = PolicyBudget(2.0, trio.CapacityLimiter(4))
    return await judge(stages, (Segment(Surface.USER, TEXT, ()),), budget, facts)


def check_law(
    found: tuple[Member, ...], stages: tuple[Stage, ...], facts: FilterFacts = NOTHING_KNOWN
) -> None:
    """Hold every completion order against the naive one."""
    wanted = decide([one.policy for one in found], TEXT, facts)
    early, waived = acting_editors(found), may_give_way(found)
    for decision, effects in outcomes(found, stages, facts):
        check(decision, effects, wanted, early)
        assert wanted.effects - effects <= waived


def acting_editors(found: tuple[Member, ...]) -> frozenset[str]:
    """Who acts and redacts for a reader that is declared before: it cannot wait for that reader.

    It may run where the naive order forbids it (decisions/016).
    """
    policies = [one.policy for one in found]
    return frozenset(
        policy.name
        for at, policy in enumerate(policies)
        if policy.acts and policy.makes_text and any(one.sees_redacted for one in policies[:at])
    )


def may_give_way(found: tuple[Member, ...]) -> frozenset[str]:
    """Whose effects may be lost with a request that is blocked by a policy declared after it.

    Those whose order is free, and those that the user has declared as parallel to such a policy.
    """
    return frozenset(
        one.policy.name
        for at, one in enumerate(found)
        if one.free_order or (one.group and one.group in {other.group for other in found[at + 1 :]})
    )


def check(
    decision: Decision, effects: frozenset[str], wanted: NaivePhase, early: frozenset[str]
) -> None:
    """Same decision and edits; same record, or for a block a part of it with the named blocker."""
    assert decision.outcome is wanted.outcome
    named = {decision.step.name} if decision.step is not None else set()
    assert named <= wanted.may_be_named
    assert bool(named) == bool(wanted.may_be_named)
    assert frozenset(decision.edits) == wanted.edits
    recorded = {(one.step.name, one.verdict.outcome) for one in decision.judged}
    assert len(recorded) == len(decision.judged)
    if decision.outcome is Outcome.BLOCK:
        assert {one for one in recorded if one[0] not in early} <= wanted.verdicts
        assert {(name, Outcome.BLOCK) for name in named} <= recorded
        assert effects <= wanted.effects | early
    else:
        assert recorded == wanted.verdicts
        assert effects == wanted.effects


def member(
    order: int,
    outcome: Outcome,
    cost: Cost = Cost.INLINE,
    *,
    needle: str = "a",
    acts: bool = False,
    sees_redacted: bool = False,
    trouble: Outcome | None = None,
    when: Filter | None = None,
) -> Member:
    """A policy that finds its letter, or answers with trouble."""
    policy = Scripted(
        name=f"p{order}",
        order=order,
        needle=needle,
        outcome=outcome,
        acts=acts,
        sees_redacted=sees_redacted,
        trouble=trouble,
        when=when,
    )
    return Member(policy=policy, cost=cost, group="g")


TROUBLE_AND_BLOCK = (
    member(0, Outcome.FLAG, Cost.NETWORK, trouble=Outcome.FAILED),
    member(1, Outcome.BLOCK, Cost.NETWORK),
)
EFFECT_AND_BLOCK = (
    member(0, Outcome.BLOCK, Cost.NETWORK),
    member(1, Outcome.FLAG, Cost.NETWORK, acts=True),
)
READER_AND_EDITOR = (
    member(0, Outcome.BLOCK, Cost.NETWORK, sees_redacted=True),
    member(1, Outcome.REDACT),
)


ACTING_EDITOR = (
    member(0, Outcome.BLOCK, Cost.NETWORK, sees_redacted=True),
    member(1, Outcome.BLOCK, needle="b"),
    member(2, Outcome.REDACT, acts=True),
)
FREE_EFFECT = (
    attrs.evolve(member(0, Outcome.FLAG, acts=True), group=None, free_order=True),
    attrs.evolve(member(1, Outcome.BLOCK), group=None),
)
BROKEN_EDITOR = (
    member(0, Outcome.REDACT, trouble=Outcome.FAILED, when=STREAM),
    member(1, Outcome.FLAG, Cost.NETWORK, sees_redacted=True),
)


@given(members(), FACTS)
@example(TROUBLE_AND_BLOCK, NOTHING_KNOWN)
@example(EFFECT_AND_BLOCK, NOTHING_KNOWN)
@example(READER_AND_EDITOR, NOTHING_KNOWN)
@example(BROKEN_EDITOR, NOTHING_KNOWN)
@example(ACTING_EDITOR, NOTHING_KNOWN)
@example(FREE_EFFECT, NOTHING_KNOWN)
def test_every_completion_order_decides_as_the_naive_one(
    found: tuple[Member, ...], facts: FilterFacts
) -> None:
    check_law(found, optimized(found), facts)


def test_an_effect_whose_order_is_free_is_lost_with_a_blocked_request() -> None:
    for decision, effects in outcomes(FREE_EFFECT, optimized(FREE_EFFECT), NOTHING_KNOWN):
        assert (decision.outcome, effects) == (Outcome.BLOCK, frozenset())


def test_the_law_finds_a_lost_effect_whose_order_is_not_free() -> None:
    """Planted: every order is taken as free."""
    kept = tuple(attrs.evolve(one, free_order=False) for one in FREE_EFFECT)
    check_law(kept, optimized(kept))
    with pytest.raises(AssertionError):
        check_law(kept, optimized(FREE_EFFECT))


def test_what_acts_and_redacts_comes_before_its_reader_and_after_other_blockers() -> None:
    stages = optimized(ACTING_EDITOR)
    assert [step.name for stage in stages for step in stage.steps] == ["p1", "p2", "p0"]
    check_law(ACTING_EDITOR, stages)


def test_the_law_finds_an_acting_editor_without_an_excuse() -> None:
    """Planted: what acts and redacts comes first, though nobody declared before it reads."""
    found = (member(0, Outcome.BLOCK), member(1, Outcome.REDACT, acts=True))
    check_law(found, optimized(found))
    hasty = optimized(found[::-1], ())
    with pytest.raises(AssertionError):
        check_law(found, hasty)


def test_the_law_finds_conditions_that_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: every step runs for every request."""
    found = (member(0, Outcome.BLOCK, when=STREAM),)
    check_law(found, optimized(found))
    monkeypatch.setattr(BoundStep, "is_for", lambda self, facts: True)
    with pytest.raises(AssertionError):
        check_law(found, optimized(found))


def test_the_law_finds_trouble_of_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: an editor that is not for this request counts as one that could not answer."""
    check_law(BROKEN_EDITOR, optimized(BROKEN_EDITOR))
    editor = BROKEN_EDITOR[0].step()
    seen = redacted_text.redacted
    absent = Judged(editor, Verdict(outcome=Outcome.FAILED))
    monkeypatch.setattr(
        engine, "redacted", lambda segments, judged: seen(segments, (*judged, absent))
    )
    with pytest.raises(AssertionError):
        check_law(BROKEN_EDITOR, optimized(BROKEN_EDITOR))


def test_the_law_finds_trouble_that_cancels_its_siblings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the first trouble ends its stage, so 409 or 503 depends on who answers first."""
    guarded = engine._answer

    async def hasty(*args: object) -> Verdict:
        verdict: Verdict = await guarded(*args)  # type: ignore[arg-type]
        is_trouble = verdict.outcome.is_trouble
        return attrs.evolve(verdict, outcome=Outcome.BLOCK) if is_trouble else verdict

    monkeypatch.setattr(engine, "_answer", hasty)
    with pytest.raises(AssertionError):
        check_law(TROUBLE_AND_BLOCK, optimized(TROUBLE_AND_BLOCK))


def test_the_law_finds_an_effect_that_did_not_wait() -> None:
    """Planted: a rule is left out, and an effect of a group runs beside what forbids it."""
    rules = tuple(rule for rule in RULES if rule is not split_waiting)
    with pytest.raises(AssertionError):
        check_law(EFFECT_AND_BLOCK, optimized(EFFECT_AND_BLOCK, rules))


def test_the_law_finds_a_reader_of_what_is_not_redacted() -> None:
    """Planted: the stages stand as declared, so a reader comes before who redacts for it."""
    with pytest.raises(AssertionError):
        check_law(READER_AND_EDITOR, optimized(READER_AND_EDITOR, ()))


def test_the_law_finds_a_lost_record() -> None:
    """Planted: a step is not run at all, which changes no decision."""
    found = (member(0, Outcome.FLAG), member(1, Outcome.FLAG))
    with pytest.raises(AssertionError):
        check_law(found, ())


def test_the_rules_are_those_that_the_compiler_runs() -> None:
    found = TROUBLE_AND_BLOCK
    program = program_of([one.step() for one in found], [one.group for one in found])
    assert run(program, RULES)[0].phase(Phase.INPUT) == optimized(found)


WORDS = ("anna ", "bob ", "ab ", "4111 1111 1111 1111 ", "nothing ", "é ")
SCANS = (
    scan_step("names", "anna", "bob", order=0, phase=Phase.INPUT),
    scan_step(
        "blocks",
        "b[a-z]b",
        action=Action.BLOCK,
        order=1,
        phase=Phase.INPUT,
        when="not request.stream",
    ),
    scan_step("numbers", r"\d{4}", "4111 1111", order=2, phase=Phase.INPUT),
    scan_step(
        "flags", "a", action=Action.FLAG, order=3, phase=Phase.INPUT, when='request.model == "m"'
    ),
)


def check_fused(
    steps: tuple[Step, ...], texts: list[str], known: FilterFacts = NOTHING_KNOWN
) -> None:
    """One stage of scans comes to exactly what a stage for each of them comes to."""
    segments = tuple(Segment(Surface.USER, text, ()) for text in texts)

    async def decided(stages: tuple[Stage, ...]) -> Decision:
        budget = PolicyBudget(9.0, trio.CapacityLimiter(4))
        return await judge(bind(stages), segments, budget, known)

    fused = trio.run(decided, (Stage(steps=steps),))
    assert fused == trio.run(decided, tuple(Stage(steps=(one,)) for one in steps))


@given(
    st.lists(st.sampled_from(SCANS), min_size=2, unique=True).map(tuple),
    st.lists(st.lists(st.sampled_from(WORDS), max_size=3).map("".join), max_size=3),
    FACTS,
)
def test_fused_scans_are_exactly_the_separate_ones(
    steps: tuple[Step, ...], texts: list[str], facts: FilterFacts
) -> None:
    check_fused(steps, texts, facts)


def test_the_law_finds_a_gate_that_knows_too_few_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the shared pass does not look for what the last step looks for."""
    whole = engine._bind_stage

    def forgetful(stage: Stage, askers: Askers) -> tuple[BoundStep, ...]:
        bound_steps = whole(stage, askers)
        if len(bound_steps) < 2:
            return bound_steps
        (gate,) = {one.gate for one in whole(attrs.evolve(stage, steps=stage.steps[:-1]), askers)}
        return tuple(attrs.evolve(one, gate=gate) for one in bound_steps)

    monkeypatch.setattr(engine, "_bind_stage", forgetful)
    with pytest.raises(AssertionError):
        check_fused(SCANS[2:0:-1] + SCANS[:1], ["anna "])


def test_neighbors_that_are_fused_share_one_gate() -> None:
    (stage,) = bind((Stage(steps=SCANS),))
    assert len({one.gate for one in stage}) == 1
    assert stage[0].gate is not None
    assert [one.gate for (one,) in bind(tuple(Stage(steps=(one,)) for one in SCANS))] == [None] * 4

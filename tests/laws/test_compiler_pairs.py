"""Law: what the optimizer finds by borders and counts is what every pair would have told.

Small cases are tried out, all of them; larger ones are generated.
"""

import itertools
from collections.abc import Iterator, Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt.compiler.optimizer import commute, laws
from kt.compiler.optimizer.arrange import cheapest_in_front
from kt.compiler.optimizer.commute import Border, may_swap, must_follow
from kt.compiler.optimizer.parallel_groups import parallel_groups
from kt.compiler.optimizer.split_waiting import split_waiting
from kt.compiler.program import Program
from kt.plan import Stage, Step
from kt.policy import Facts, Phase, Sees
from tests.support import pairwise
from tests.support.plans import scan_step
from tests.support.programs import program_of

EVERY_KIND = tuple(
    Facts(
        surfaces=frozenset(),
        can_block=blocks,
        edits=edits,
        has_effects=acts,
        free_order=is_free,
        sees=sees,
    )
    for acts, is_free in ((False, False), (True, False), (True, True))
    for blocks, edits in itertools.product((False, True), repeat=2)
    for sees in Sees
)
"""One of each sort of facts that places depend on."""
FEW_KINDS = (
    Facts(surfaces=frozenset(), can_block=True),
    Facts(surfaces=frozenset(), edits=True),
    Facts(surfaces=frozenset(), has_effects=True),
    Facts(surfaces=frozenset(), has_effects=True, free_order=True),
    Facts(surfaces=frozenset(), has_effects=True, edits=True),
    Facts(surfaces=frozenset(), has_effects=True, can_block=True),
    Facts(surfaces=frozenset(), can_block=True, sees=Sees.REDACTED),
)
GROUPS = (None, "g", "h")


def steps_of(facts: Sequence[Facts]) -> list[Step]:
    """A step for each of some facts, in declared order."""
    bare = (scan_step(f"step{at}", "a", phase=Phase.INPUT, order=at) for at in range(len(facts)))
    return [attrs.evolve(step, facts=one) for step, one in zip(bare, facts, strict=True)]


def arrangements(steps: Sequence[Step]) -> Iterator[tuple[Stage, ...]]:
    """Every way to put steps into stages, in any order."""
    if not steps:
        yield ()
        return
    for rest in arrangements(steps[1:]):
        for at, stage in enumerate(rest):
            joined = Stage(steps=(steps[0], *stage.steps))
            yield (*rest[:at], joined, *rest[at + 1 :])
        for at in range(len(rest) + 1):
            yield (*rest[:at], Stage(steps=(steps[0],)), *rest[at:])


def one_by_one(steps: Sequence[Step], groups: Sequence[str | None]) -> tuple[Stage, ...]:
    """A stage for each step."""
    pairs = zip(steps, groups, strict=True)
    return tuple(Stage(steps=(step,), group=group) for step, group in pairs)


def declared(steps: Sequence[Step], groups: Sequence[str | None]) -> tuple[Stage, ...]:
    """One stage for each step, or for each run of the same group."""
    runs = itertools.groupby(zip(steps, groups, strict=True), key=lambda pair: pair[1])
    stages: list[Stage] = []
    for group, members in runs:
        found = [step for step, _ in members]
        parts = [found] if group else [[step] for step in found]
        stages += [Stage(steps=tuple(part), group=group) for part in parts]
    return tuple(stages)


def check_moves(before: tuple[Stage, ...], after: tuple[Stage, ...]) -> None:
    """The same steps are found to have moved too far, each beside one that it has passed."""
    pairs = {(later.name, earlier.name) for later, earlier in pairwise.moved_too_far(before, after)}
    said = set(laws.moved_too_far(before, after))
    assert said <= {f"moved '{later}' before '{earlier}'" for later, earlier in pairs}
    assert {text.split("'")[1] for text in said} == {later for later, _ in pairs}


def check_waits(stages: tuple[Stage, ...]) -> None:
    """Something is said of waits exactly where a pair stands as it must not, and of such a pair."""
    pairs = {frozenset((one.name, other.name)) for one, other in pairwise.broken_waits(stages)}
    program = attrs.evolve(program_of([]), stages=stages)
    said = {frozenset(text.split("'")[1::2]) for text in laws.broken_waits(program)}
    assert said <= pairs
    assert bool(said) == bool(pairs)


def test_a_pair_may_swap_and_must_wait_as_its_facts_say() -> None:
    for earlier, later in map(steps_of, itertools.product(EVERY_KIND, repeat=2)):
        assert may_swap(earlier, later) == pairwise.may_swap(earlier, later)
        assert must_follow(earlier, later) == pairwise.must_follow(earlier, later)
        assert must_follow(later, earlier) == pairwise.must_follow(later, earlier)


@pytest.mark.slow
@pytest.mark.parametrize(("kinds", "size"), [(EVERY_KIND, 2), (FEW_KINDS, 3)])
def test_every_small_case_is_judged_as_its_pairs(kinds: tuple[Facts, ...], size: int) -> None:
    for facts in itertools.product(kinds, repeat=size):
        steps = steps_of(facts)
        for after in arrangements(steps):
            check_waits(after)
            for groups in ((None,) * size, ("g",) * size, ("g", "h", "g")[:size]):
                # As declared, and as a later rule may find it: in the stages of another.
                check_moves(declared(steps, groups), after)
                check_moves(one_by_one(steps, groups), after)


@st.composite
def grouped(draw: st.DrawFn, most: int = 9) -> Program:
    """Programs of any sort of facts, in groups."""
    facts = draw(st.lists(st.sampled_from(EVERY_KIND), max_size=most))
    groups = draw(st.lists(st.sampled_from(GROUPS), min_size=most, max_size=most))
    return program_of(steps_of(facts), groups)


@st.composite
def rearranged(draw: st.DrawFn) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
    """Stages, and the same steps in any other stages."""
    program = draw(grouped())
    before = parallel_groups(program).stages if draw(st.booleans()) else program.stages
    steps = draw(st.permutations(program.steps))
    cuts = draw(st.lists(st.booleans(), min_size=len(steps), max_size=len(steps)))
    after: list[Stage] = []
    for step, cut in zip(steps, cuts, strict=True):
        if cut or not after:
            after.append(Stage(steps=(step,)))
        else:
            after[-1] = Stage(steps=(*after[-1].steps, step))
    return before, tuple(after)


@given(rearranged())
def test_every_arrangement_is_judged_as_its_pairs(
    stages: tuple[tuple[Stage, ...], tuple[Stage, ...]],
) -> None:
    check_moves(*stages)
    check_waits(stages[1])


def steps_in(stages: Sequence[Stage]) -> list[list[str]]:
    """The names of the steps of each stage."""
    return [[step.name for step in stage.steps] for stage in stages]


def names(stages: Sequence[Sequence[Step]]) -> list[list[str]]:
    """The same of what the plain definitions give."""
    return [[step.name for step in steps] for steps in stages]


@given(grouped())
def test_groups_are_gathered_and_split_as_their_pairs_demand(program: Program) -> None:
    together = parallel_groups(program)
    assert steps_in(together.stages) == names(pairwise.gathered(program.stages))
    apart = split_waiting(together)
    assert steps_in(apart.stages) == names(pairwise.split(together.stages))


@given(grouped(), st.lists(st.integers(0, 3), min_size=9, max_size=9))
def test_the_cheapest_that_may_start_starts(program: Program, prices: list[int]) -> None:
    stages = split_waiting(parallel_groups(program)).stages

    def price(stage: Stage) -> float:
        return min(prices[step.order] for step in stage.steps)

    found = cheapest_in_front(stages, "planted", price)
    assert steps_in(found) == steps_in(pairwise.cheapest_in_front(stages, price))
    for stage in found:
        earlier = found[: found.index(stage)]
        first, was = stage.steps[0], stages.index(stage)
        passed = [one for one in stages[:was] if one not in earlier]
        told = f"moved by planted: was {was + 1}"
        assert (first.because[-1:] == (told,)) == bool(passed)


def check_every_swap() -> None:
    """Hold every pair that has changed places against what its facts say."""
    for pair in map(steps_of, itertools.product(EVERY_KIND, repeat=2)):
        check_moves(declared(pair, (None, None)), declared(pair[::-1], (None, None)))


@pytest.mark.parametrize("border", Border)
def test_the_law_of_pairs_finds_a_border_that_nobody_draws(
    border: Border, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: one reason why steps keep their order is forgotten."""
    check_every_swap()
    drawn = commute.borders_drawn
    monkeypatch.setattr(laws, "borders_drawn", lambda step: drawn(step) - {border})
    with pytest.raises(AssertionError):
        check_every_swap()


def test_the_law_of_pairs_finds_who_remembers_one_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: of those at the last place only one is known, and it is of the same group."""
    steps = steps_of((FEW_KINDS[2], FEW_KINDS[2], FEW_KINDS[0]))
    before = one_by_one(steps, ("h", "g", "g"))
    after = (Stage(steps=tuple(steps)),)
    check_moves(before, after)
    whole = laws._draw

    def forgetful(
        step: Step,
        group: str | None,
        place: int,
        drawn: dict[Border, tuple[int, dict[str | None, Step]]],
    ) -> None:
        drawn.clear()
        whole(step, group, place, drawn)

    monkeypatch.setattr(laws, "_draw", forgetful)
    with pytest.raises(AssertionError):
        check_moves(before, after)

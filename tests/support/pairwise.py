"""What the optimizer does and checks, said of every pair: plain, and slow where a file is large.

The optimizer asks borders and counts, so that its work grows with the file. This is what it has to
come to; nothing here is imported from it but the facts of single steps.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, permutations, product

import attrs

from kt.plan import Stage, Step
from kt.policy import Sees


def acts(step: Step) -> bool:
    """Whether something outside is different after the step has run."""
    return step.facts.has_effects or step.facts.keeps_state


def reads(step: Step) -> bool:
    """Whether a step sees the text as others leave it."""
    return step.facts.sees is Sees.REDACTED


def makes(step: Step) -> bool:
    """Whether readers wait for a step."""
    return step.facts.edits and not reads(step)


def may_swap(earlier: Step, later: Step) -> bool:
    """Whether the later of two steps may start first."""
    first, second = earlier.facts, later.facts
    if acts(earlier) and acts(later):
        return False
    if acts(earlier) and second.can_block and not first.free_order:
        return False
    if acts(later) and first.can_block:
        return False
    return not (reads(later) and (first.edits or reads(earlier)))


def may_swap_stages(earlier: Stage, later: Stage) -> bool:
    """Whether every step of one stage may change places with every step of the other."""
    return all(may_swap(one, other) for one, other in product(earlier.steps, later.steps))


def must_follow(step: Step, other: Step) -> bool:
    """Whether a step may not start before another of its stage has answered."""
    if reads(step) and makes(other):
        return True
    is_guarded = acts(step) and other.facts.can_block
    return is_guarded and (not acts(other) or other.order < step.order)


def moved_too_far(before: Sequence[Stage], after: Sequence[Stage]) -> Iterator[tuple[Step, Step]]:
    """Every pair, the later first, of which the later does not start behind any more, and must."""
    was = {step: at for at, stage in enumerate(before) for step in stage.steps}
    now = {step: at for at, stage in enumerate(after) for step in stage.steps}
    groups = {step: stage.group for stage in before for step in stage.steps}
    old = [step for stage in before for step in stage.steps]
    first_reader = next((at for at, step in enumerate(old) if reads(step)), len(old))
    for at, later in enumerate(old):
        for index, earlier in enumerate(old[:at]):
            group = groups[later]
            stays = now[earlier] == now[later] and group is not None and groups[earlier] == group
            is_made = makes(later) and index >= first_reader
            is_behind = now[earlier] < now[later] or was[earlier] == was[later]
            if not (is_behind or stays or is_made or may_swap(earlier, later)):
                yield later, earlier


def broken_waits(stages: Sequence[Stage]) -> Iterator[tuple[Step, Step]]:
    """Every pair, the one that waits first, that stands as it must not."""
    for first, second in combinations(stages, 2):
        for step, other in product(first.steps, second.steps):
            if reads(step) and makes(other):
                yield step, other
    for stage in stages:
        yield from (pair for pair in permutations(stage.steps, 2) if must_follow(*pair))


def gathered(stages: Sequence[Stage]) -> list[list[Step]]:
    """The steps of each stage once the members of a group are together."""
    made: list[Stage] = []
    for stage in stages:
        groups = [one.group for one in made]
        at = groups.index(stage.group) if stage.group in groups and stage.group else None
        if at is None:
            made.append(stage)
        elif all(may_swap_stages(passed, stage) for passed in made[at + 1 :]):
            made[at] = attrs.evolve(made[at], steps=(*made[at].steps, *stage.steps))
        else:
            made.append(attrs.evolve(stage, group=None))
    return [list(stage.steps) for stage in made]


def split(stages: Sequence[Stage]) -> list[list[Step]]:
    """The steps of each stage once nobody must wait for another of his stage, or for a later."""
    makers = [at for at, stage in enumerate(stages) if any(map(makes, stage.steps))]
    front = stages[: makers[-1] + 1] if makers else []
    late: list[Step] = []
    for step in (step for stage in front for step in stage.steps):
        is_held = not makes(step) and not all(may_swap(one, step) for one in late)
        late += [step] if reads(step) or is_held else []
    early = [[step for step in stage.steps if step not in late] for stage in front]
    behind = [[step for step in stage.steps if step in late] for stage in front]
    rest = [list(stage.steps) for stage in stages[len(front) :]]
    return [wave for steps in (*early, *behind, *rest) for wave in waves(steps)]


def waves(steps: list[Step]) -> Iterator[list[Step]]:
    """Those that wait for nobody, again and again."""
    while steps:
        ready = [one for one in steps if not any(must_follow(one, other) for other in steps)]
        yield ready
        steps = [step for step in steps if step not in ready]


def cheapest_in_front(stages: Sequence[Stage], price: Callable[[Stage], float]) -> list[Stage]:
    """The cheapest of those that no earlier one holds, again and again."""
    left = list(stages)
    order: list[Stage] = []
    while left:
        free = [
            stage
            for at, stage in enumerate(left)
            if all(may_swap_stages(earlier, stage) for earlier in left[:at])
        ]
        order.append(min(free, key=price))
        left.remove(order[-1])
    return order

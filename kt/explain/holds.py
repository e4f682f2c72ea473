"""How much of a streamed answer waits: per policy, for the fused scan, and before the first byte.

In: Plan. Out: one row per policy that acts on answers, one for all of them together, one for what
is collected whole. Never: a number that the runtime exceeds (tests/laws/test_holds.py).

Bytes count the text as the rules read it: folded, without invisible characters. As it came, each
of these bytes stands for up to four, and invisible characters count too: that ends at the cap.
"""

import attrs

from kt.plan import Plan, Scan
from kt.policy import ACTING, Phase, Rule
from kt.units import show_size

TOGETHER = "all together"
ARGUMENTS = "tool arguments"


@attrs.frozen(kw_only=True)
class Hold:
    """The most text that may wait, and why."""

    what: str
    """A policy's name, TOGETHER or ARGUMENTS."""
    is_policy: bool = False
    bytes: int
    """Never more than the cap."""
    is_cap: bool
    """Nothing but the cap bounds it."""
    because: str

    @property
    def shown(self) -> str:
        """The size in words."""
        return f"{'up to the cap' if self.is_cap else 'at most'} {show_size(self.bytes)}"


@attrs.frozen
class _Sized:
    """One rule and what it needs, in bytes; None where nothing bounds it."""

    rule: str
    waits: int | None
    """For its match to be decided."""
    covers: int | None
    """Its longest match, where what replaces it is computed from it; else nothing."""


def holds(plan: Plan) -> tuple[Hold, ...]:
    """Every hold of the output phase; none where no policy acts on answers."""
    sized = {
        step.name: [_sized(rule) for rule in step.body.rules]
        for step in plan.steps(Phase.OUTPUT)
        if isinstance(step.body, Scan) and step.body.action in ACTING
    }
    if not sized:
        return ()
    together = [one for rules in sized.values() for one in rules]
    return (
        *(attrs.evolve(_hold(name, sized[name], plan), is_policy=True) for name in sized),
        _hold(TOGETHER, together, plan),
        _capped(ARGUMENTS, plan, "collected, and judged at the end of the call"),
    )


def first_text(plan: Plan, found: tuple[Hold, ...]) -> str:
    """What the client's first text waits for besides the provider, given the plan's holds."""
    if plan.keep_answer_whole:
        return "the whole answer: it is collected and sent at once"
    together = next((one for one in found if one.what == TOGETHER), None)
    if together is None or not together.bytes:
        return "nothing: text goes on as it comes"
    if together.is_cap:
        return "the rules to be sure, or the end of its choice"
    return f"at most {show_size(together.bytes + 1)} of text, or the end of its choice"


def _sized(rule: Rule) -> _Sized:
    # NOT at the top: it loads the grammar, which only a plan with output steps needs.
    from kt.patterns.prefixes import longest_hold, longest_match

    return _Sized(rule.id, longest_hold(rule), longest_match(rule) if rule.derived else 0)


def _hold(what: str, sized: list[_Sized], plan: Plan) -> Hold:
    longest, because = 0, "every rule is decided at once"
    for one, size in zip(sized, _sizes(sized), strict=True):
        if size is None:
            return _capped(what, plan, f"{one.rule} has no longest match")
        if size > longest:
            longest, because = size, one.rule
    if longest > plan.sizes.stream_hold.value:
        return _capped(what, plan, f"{because} would hold {show_size(longest)}")
    return Hold(what=what, bytes=longest, is_cap=False, because=because)


def _sizes(sized: list[_Sized]) -> list[int | None]:
    """What waits because of each rule, the others being there.

    A computed replacement waits until no other rule can touch its match any more.
    """
    if any(one.waits is None for one in sized):
        return [one.waits for one in sized]
    waits = sorted((one.waits or 0 for one in sized), reverse=True)
    sizes: list[int | None] = []
    for one in sized:
        other = waits[1] if len(waits) > 1 and one.waits == waits[0] else waits[0]
        if one.covers is None:
            sizes.append(None)
        elif one.covers and other and len(sized) > 1:
            sizes.append(max(one.waits or 0, one.covers - 1 + other))
        else:
            sizes.append(one.waits)
    return sizes


def _capped(what: str, plan: Plan, because: str) -> Hold:
    cap = plan.sizes.stream_hold
    because = f"{because}; cap: {cap.origin}"
    return Hold(what=what, bytes=cap.value, is_cap=True, because=because)

"""From verdicts to one decision: pure, and the same in whatever order the verdicts came.

The decision is the strongest of: block (named after the first blocking policy in declared order) >
trouble-block > escalate > redact (all edits) > allow. Recording verdicts never decide.
"""

from collections.abc import Iterable

import attrs

from kt.errors import GatewayError
from kt.plan import Ask, Scan, Step
from kt.policy import Edit, OnTrouble, Outcome, Phase, Verdict


@attrs.frozen
class Judged:
    """One step's verdict and how long it took, in seconds."""

    step: Step
    verdict: Verdict
    seconds: float = attrs.field(default=0.0, eq=False)

    @property
    def blocks_as_trouble(self) -> bool:
        """Whether the step could not answer and its owner wants the gate closed then."""
        return self.verdict.outcome.is_trouble and self.step.on_trouble is OnTrouble.BLOCK


@attrs.frozen(kw_only=True)
class Decision:
    """What a phase ends in: allow, redact, block, escalate, or the trouble that blocks."""

    outcome: Outcome
    step: Step | None = None
    """The policy that is named for it; None where none is."""
    edits: tuple[Edit, ...] = ()
    judged: tuple[Judged, ...] = ()
    """Every verdict, in the order in which the plan lists the steps."""

    def refusal(self) -> GatewayError | None:
        """The error that ends the request, or None if it goes on."""
        if self.step is None:
            return None
        if self.outcome.is_trouble:
            return unavailable(self.step, self.outcome)
        return blocked(self.step, self.outcome)


def blocked(step: Step, outcome: Outcome) -> GatewayError:
    """The error of a step that blocks, or escalates."""
    body = step.body
    message = f"blocked by policy '{step.name}'"
    if isinstance(body, Scan | Ask):
        message = body.message
    code = "input_blocked" if step.phase is Phase.INPUT else "output_blocked"
    if outcome is Outcome.ESCALATE:
        code = "escalation_required"
    return GatewayError(code, message, policy=step.name)


def unavailable(step: Step, trouble: Outcome) -> GatewayError:
    """The error of a step that could not answer and closes the gate then."""
    message = f"policy '{step.name}' could not be evaluated ({trouble.value})"
    return GatewayError("policy_unavailable", message, policy=step.name)


def settle(judged: Iterable[Judged]) -> Decision:
    """Decide a phase from everything that was judged in it."""
    found = tuple(judged)
    blocks = [one for one in found if one.verdict.outcome is Outcome.BLOCK]
    trouble = [one for one in found if one.blocks_as_trouble]
    escalations = [one for one in found if one.verdict.outcome is Outcome.ESCALATE]
    for group in (blocks, trouble, escalations):
        if group:
            first = min(group, key=lambda one: one.step.order)
            return Decision(outcome=first.verdict.outcome, step=first.step, judged=found)
    edits = tuple(edit for one in found for edit in one.verdict.edits)
    is_edited = any(one.verdict.outcome is Outcome.REDACT for one in found)
    outcome = Outcome.REDACT if is_edited else Outcome.ALLOW
    return Decision(outcome=outcome, edits=edits, judged=found)

"""How many series the metrics of a plan can have at most: labels come from finite sets only.

In: Plan. Out: one row per metric that has labels, with the sets that its labels come from.
"""

from collections.abc import Iterator

import attrs

from kt.errors import REFUSALS
from kt.explain.tables import section
from kt.plan import NotEnforced, Plan, Step
from kt.policy import Outcome, Phase

PREFIX = "keeptrusts_"
PASSED_ON = frozenset({*range(200, 300), *range(400, 500)})
"""With these statuses a provider's answer keeps its own; all others become a refusal of ours."""
OVERHEAD_PARTS = 4
"""`total`, `input`, `route` and `output`."""

CONNECTION_STATES = 4
"""`connecting`, `idle`, `in_use` and `waiting`."""
RELOAD_RESULTS = 2
"""`activated` and `failed`."""


@attrs.frozen
class Cardinality:
    """The most label combinations of one metric, and where they come from."""

    metric: str
    most: int
    because: str


def cardinality(plan: Plan) -> Iterator[Cardinality]:
    """The bound of every metric that has labels."""
    providers = len(plan.targets) + 1
    # A client that left has 499.
    statuses = len(PASSED_ON.union(row.status for row in REFUSALS.values()))
    verdicts = len(Outcome)
    checks = len({(step.name, step.phase) for step in _judging(plan)})
    yield Cardinality(
        PREFIX + "requests_total",
        statuses * verdicts * providers,
        f"{statuses} statuses x {verdicts} verdicts x {providers} providers",
    )
    yield Cardinality(
        PREFIX + "policy_evaluations_total",
        checks * verdicts,
        f"{checks} steps x {verdicts} verdicts",
    )
    yield Cardinality(PREFIX + "policy_duration_seconds", checks, f"{checks} steps")
    yield Cardinality(PREFIX + "request_duration_seconds", providers, f"{providers} providers")
    parts = "total, input, route, output"
    yield Cardinality(PREFIX + "gateway_overhead_seconds", OVERHEAD_PARTS, parts)
    yield Cardinality(
        PREFIX + "upstream_connections",
        CONNECTION_STATES * len(plan.targets),
        f"{CONNECTION_STATES} states x {len(plan.targets)} targets",
    )
    targets = len(plan.targets)
    yield Cardinality(PREFIX + "circuit_state", targets, f"{targets} targets")
    yield Cardinality(PREFIX + "config_reload_total", RELOAD_RESULTS, "activated, failed")
    yield Cardinality(PREFIX + "plan_info", 1, "one plan")


def cardinality_text(plan: Plan) -> str:
    """The table as text."""
    rows = ((one.metric, str(one.most), one.because) for one in cardinality(plan))
    return "\n".join(section("metrics, label combinations at most", rows)) + "\n"


def _judging(plan: Plan) -> Iterator[Step]:
    for step in (*plan.steps(Phase.INPUT), *plan.steps(Phase.OUTPUT)):
        if not isinstance(step.body, NotEnforced):
            yield step

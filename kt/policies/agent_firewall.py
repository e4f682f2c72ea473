"""`agent-firewall`: which tools an agent may call, how often and for how much. Not enforced yet."""

from collections.abc import Iterator
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.actions import BlockOrEscalate
from kt.policies.any_value import AnyValue
from kt.policies.problem import Problem, out_of_range
from kt.policy import Facts, Phase

MOST = 1_000_000_000
"""More than any limit on calls or money that means something."""


@attrs.frozen(kw_only=True)
class ToolRole:
    """What one role may call."""

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Tools:
    """The expanded form of the lists."""

    roles: tuple[tuple[str, ToolRole], ...] = ()


@attrs.frozen(kw_only=True)
class RequestRates:
    """Requests per time."""

    requests_per_minute: int | None = None
    requests_per_hour: int | None = None
    requests_per_day: int | None = None


@attrs.frozen(kw_only=True)
class RateLimit:
    """The template's form of the limits on calls, and the form with users and teams."""

    max_calls_per_minute: int | None = None
    max_calls_per_session: int | None = None
    per_user: RequestRates = RequestRates()
    per_team: RequestRates = RequestRates()
    on_exceed: str | None = None
    """As `block`."""
    retry_after_seconds: int | None = None


@attrs.frozen(kw_only=True)
class TransactionLimit:
    """The template's form of the limit on money."""

    max_cost_per_session: float | None = None


@attrs.frozen(kw_only=True)
class TransactionLimits:
    """Limits on money."""

    max_single_transaction: float | None = None
    max_daily_total: float | None = None
    require_approval_above: float | None = None


@attrs.frozen(kw_only=True)
class KillSwitches:
    """What ends a session."""

    max_errors_before_halt: int | None = None
    halt_on_pii_in_action: bool = False
    halt_on_suspicious_pattern: bool = False


@attrs.frozen(kw_only=True)
class AgentFirewall:
    """Limits on what an agent does, in the simple, the expanded and the template form."""

    KIND: ClassVar[str] = "agent-firewall"
    PHASES: ClassVar[tuple[Phase, ...]] = (Phase.TOOL,)

    action: BlockOrEscalate = BlockOrEscalate.BLOCK
    allowed_tools: tuple[str, ...] = ()
    """Names or globs."""
    blocked_tools: tuple[str, ...] = ()
    denied_tools: tuple[str, ...] = ()
    """The template's word for `blocked_tools`."""
    max_actions_per_session: int | None = None
    tools: Tools = Tools()
    rate_limit: RateLimit = RateLimit()
    rate_limits: tuple[tuple[str, AnyValue], ...] = ()
    """By tool; `default` holds for the others."""
    transaction_limit: TransactionLimit = TransactionLimit()
    transaction_limits: TransactionLimits = TransactionLimits()
    kill_switches: KillSwitches = KillSwitches()
    monitoring: AnyValue | None = None

    def facts(self, phase: Phase) -> Facts:
        """State that it reads the calls of tools, counts them and may block."""
        return Facts(
            surfaces=frozenset({Surface.TOOL_ARGUMENTS}),
            can_block=True,
            keeps_state=True,
        )

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="calls of tools are not counted or compared with a list")

    def problems(self) -> tuple[Problem, ...]:
        """Report what is out of range."""
        rate, money, kept = self.rate_limit, self.transaction_limits, self.kill_switches
        numbers = (
            ("max_actions_per_session", self.max_actions_per_session),
            ("rate_limit.max_calls_per_minute", rate.max_calls_per_minute),
            ("rate_limit.max_calls_per_session", rate.max_calls_per_session),
            ("rate_limit.retry_after_seconds", rate.retry_after_seconds),
            *_rates("rate_limit.per_user", rate.per_user),
            *_rates("rate_limit.per_team", rate.per_team),
            ("transaction_limit.max_cost_per_session", self.transaction_limit.max_cost_per_session),
            ("transaction_limits.max_single_transaction", money.max_single_transaction),
            ("transaction_limits.max_daily_total", money.max_daily_total),
            ("transaction_limits.require_approval_above", money.require_approval_above),
            ("kill_switches.max_errors_before_halt", kept.max_errors_before_halt),
        )
        return tuple(
            problem for name, number in numbers for problem in out_of_range(name, number, 0, MOST)
        )


def _rates(field: str, rates: RequestRates) -> Iterator[tuple[str, int | None]]:
    for one in attrs.fields(RequestRates):
        yield f"{field}.{one.name}", getattr(rates, one.name)

"""`rbac`: who may use which tools, models and data. Not enforced yet."""

from enum import Enum
from typing import ClassVar

import attrs

from kt.exchange import Surface
from kt.plan import NotEnforced
from kt.policies.problem import Problem
from kt.policy import Facts, Phase


class DefaultAction(Enum):
    """What holds where no role says otherwise."""

    ALLOW = "allow"
    DENY = "deny"


@attrs.frozen(kw_only=True)
class Role:
    """What one role may use; `*` means everything."""

    allowed_tools: tuple[str, ...] = ()
    denied_tools: tuple[str, ...] = ()
    allowed_models: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class DataAccess:
    """What one role may see."""

    max_sensitivity: str | None = None
    """From `public` to `restricted`."""


@attrs.frozen(kw_only=True)
class MinimumNecessary:
    """Whether health data is for some roles only."""

    enabled: bool = False
    allowed_phi_roles: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Rbac:
    """Roles and what each of them may do."""

    KIND: ClassVar[str] = "rbac"
    PHASES: ClassVar[tuple[Phase, ...]] = (
        Phase.INPUT,
        Phase.TOOL,
    )

    deny_if_missing: tuple[str, ...] = ("X-User-ID",)
    """Headers without which nothing is let through."""
    require_auth: bool = False
    roles: tuple[tuple[str, Role], ...] = ()
    data_access: tuple[tuple[str, DataAccess], ...] = ()
    minimum_necessary: MinimumNecessary = MinimumNecessary()
    default_action: DefaultAction | None = None
    """What holds for a role that is not listed."""

    def facts(self, phase: Phase) -> Facts:
        """State that it reads the calls of tools and may block."""
        return Facts(surfaces=frozenset({Surface.TOOL_ARGUMENTS}), can_block=True)

    def body(self, phase: Phase) -> NotEnforced:
        """Lower to what says that nothing is done."""
        return NotEnforced(reason="roles are not looked up")

    def problems(self) -> tuple[Problem, ...]:
        """Report nothing: types say all that there is to say."""
        return ()

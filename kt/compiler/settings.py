"""What the command line and the environment decide before the file does.

In: values with the name of what set them. Never: a read of the environment, which is the CLI's.
"""

from collections.abc import Mapping

import attrs

from kt.compiler.profile import Profile
from kt.policy import OnTrouble


@attrs.frozen
class Setting:
    """A number that overrules the file, and the flag or variable that gave it."""

    value: int
    origin: str


@attrs.frozen
class Upstream:
    """A base URL that overrules the file: for one target, or for all."""

    url: str
    target: str | None = None


@attrs.frozen(kw_only=True)
class Settings:
    """Everything outside the file that changes the plan."""

    max_concurrency: Setting | None = None
    upstreams: tuple[Upstream, ...] = ()
    fail_mode: OnTrouble | None = None
    environment: Mapping[str, str] = attrs.field(repr=False, eq=False, factory=dict)
    """What `${NAME}` stands for in the file."""
    profile: Profile = attrs.field(factory=Profile)
    """What was measured of the policies."""

    @property
    def given(self) -> tuple[str, ...]:
        """The flags and variables that say something; a profile has no say where a plan runs."""
        named = (
            ("--fail-mode", self.fail_mode),
            (self.max_concurrency and self.max_concurrency.origin, self.max_concurrency),
            ("--upstream", self.upstreams),
        )
        return tuple(name for name, value in named if name and value)

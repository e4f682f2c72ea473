"""The compiler's table of contents: text to plan, one function per stage.

In: Source, Settings. Out: Compiled. Raises ConfigError with everything that is wrong, UsageError
for a setting from outside the file; never another exception, whatever the text.
"""

from functools import cached_property

import attrs

from kt.compiler.analyse import analyse
from kt.compiler.blocks import Kinds
from kt.compiler.model import Config
from kt.compiler.optimizer import RULES
from kt.compiler.optimizer.run import run
from kt.compiler.program import Change, Program
from kt.compiler.reader import read
from kt.compiler.settings import Settings
from kt.compiler.structure import structure
from kt.compiler.tree import Map
from kt.compiler.variables import fill
from kt.diagnostics import Report
from kt.plan import Plan
from kt.policies import KINDS
from kt.source import Source


@attrs.frozen(kw_only=True, slots=False)
class Compiled:
    """A configuration in every form on its way to the plan, and what its making left to say."""

    tree: Map
    """As written: no variable is filled in."""
    config: Config
    program: Program
    """As declared."""
    optimized: Program
    trace: tuple[Change, ...]
    report: Report
    """Without errors; its warnings are for people."""

    @cached_property
    def plan(self) -> Plan:
        """The plan, lowered when somebody asks for it: who only checks does not."""
        from kt.compiler.lower import lower  # NOT: at the top. It asks which engines there are.

        return lower(self.optimized)


def compile_source(
    source: Source, settings: Settings | None = None, kinds: Kinds = KINDS
) -> Compiled:
    """Compile one configuration text into a plan, or raise ConfigError with everything wrong."""
    settings = Settings() if settings is None else settings
    source = attrs.evolve(source, text=source.text.removeprefix("\N{BYTE ORDER MARK}"))
    report = Report(source)
    tree = report.checked(read(source, report))
    filled = report.checked(fill(tree, settings.environment, report))
    config = report.checked(structure(filled.tree, kinds, report))
    program = report.checked(analyse(config, kinds, settings, report))
    program = attrs.evolve(program, profile=settings.profile, variables=filled.variables)
    optimized, trace = run(program, RULES)
    return Compiled(
        tree=tree,
        config=config,
        program=program,
        optimized=optimized,
        trace=trace,
        report=report,
    )

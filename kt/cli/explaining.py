"""What `kt config compile` can show of a plan besides itself: how it came about, what it costs.

In: a compiled configuration and the flags that ask. Out: text. Never: an import of hypothesis
before somebody asks for the proof.
"""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import click

from kt.cli.compiling import Command
from kt.compiler import Compiled, Settings
from kt.compiler.profile import Profile, read_profile
from kt.errors import UsageError
from kt.explain import (
    cardinality_text,
    coverage_text,
    explain_text,
    failures_text,
    mermaid_text,
    trace_text,
)
from kt.plan import to_data

Stage = Callable[[Compiled], object]

STAGES: Mapping[str, Stage] = MappingProxyType(
    {
        "tree": lambda compiled: compiled.tree,
        "config": lambda compiled: compiled.config,
        "program": lambda compiled: compiled.program,
        "optimized": lambda compiled: compiled.optimized,
        "plan": lambda compiled: compiled.plan,
    }
)
"""Every form that a configuration has on its way, in order."""


@attrs.frozen(kw_only=True)
class Wanted:
    """What the flags ask to see."""

    stage: str | None
    trace: bool
    failures: bool
    coverage: bool
    metrics: bool
    form: str
    verify: int | None
    analyze: Path | None

    @property
    def is_special(self) -> bool:
        """Whether something else than the plan itself is asked for."""
        asked = self.trace or self.failures or self.coverage or self.metrics
        chosen = (self.stage, self.analyze) != (None, None) or self.form != "text"
        return asked or chosen


def explaining_options(command: Command) -> Command:
    """Give a command the flags that show more of a plan; it gets them as `wanted`."""

    @click.option(
        "--stage", type=click.Choice(list(STAGES)), help="Show what one stage of the compiler made."
    )
    @click.option("--trace", is_flag=True, help="Show what each rule of the optimizer changed.")
    @click.option("--failures", is_flag=True, help="Show what the client sees of each failure.")
    @click.option("--coverage", is_flag=True, help="Show which text is read by which policy.")
    @click.option("--metrics", is_flag=True, help="Show how many series the metrics can have.")
    @click.option(
        "--format",
        "form",
        type=click.Choice(["text", "mermaid"]),
        default="text",
        help="Show the plan as text (the default) or as a Mermaid flow chart.",
    )
    @click.option(
        "--verify",
        type=click.IntRange(1, 1_000_000),
        metavar="N",
        help="Prove the plan on N generated requests (needs the extra 'testing').",
    )
    @click.option(
        "--analyze",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="REQUEST",
        help="Run the input phase on a request's body (JSON) and show what each policy says.",
    )
    @click.option(
        "--profile",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="EVENTS",
        help="Order by what an audit log (events.jsonl) measured.",
    )
    @wraps(command)
    def with_wanted(*args: object, settings: Settings, profile: Path | None, **rest: Any) -> Any:
        names = [field.name for field in attrs.fields(Wanted)]
        wanted = Wanted(**{name: rest.pop(name) for name in names})
        if profile is not None:
            settings = attrs.evolve(settings, profile=load_profile(profile))
        return command(*args, settings=settings, wanted=wanted, **rest)

    return with_wanted


def load_profile(path: Path) -> Profile:
    """Read the measurements of an audit log; lines that say nothing usable are told of."""
    try:
        with path.open("rb") as opened:
            profile, bad = read_profile(opened)
    except OSError as error:
        hint = "name an events.jsonl that the gateway wrote"
        raise UsageError(f"cannot read {path}: {error.strerror}", hint) from None
    for line in bad.first:
        click.echo(f"{path}:{line.number}: not used: {line.problem}", err=True)
    if bad.count > len(bad.first):
        click.echo(f"and {bad.count - len(bad.first)} more lines of {path}", err=True)
    return profile


def shown(compiled: Compiled, wanted: Wanted) -> str:
    """Everything that was asked for, one after the other."""
    plan = compiled.plan
    parts = []
    if wanted.stage is not None:
        data = to_data(STAGES[wanted.stage](compiled))
        parts.append(json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n")
    if wanted.trace:
        parts.append(trace_text(compiled.trace))
    if wanted.failures:
        parts.append(failures_text(plan))
    if wanted.coverage:
        parts.append(coverage_text(plan))
    if wanted.metrics:
        parts.append(cardinality_text(plan))
    if wanted.form == "mermaid":
        parts.append(mermaid_text(plan))
    if wanted.analyze is not None:
        from kt.cli.analyzing import analyze  # NOT: at the top. It brings the runtime with it.

        parts.append(analyze(compiled, wanted.analyze))
    return "".join(parts) if wanted.is_special else explain_text(plan)


def prove(compiled: Compiled, requests: int) -> bool:
    """Hold the plan against the naive order; print the smallest request on which it differs."""
    try:
        from kt.verify import verify
    except ModuleNotFoundError:
        hint = "install the extra: pip install 'kt[testing]'"
        raise UsageError("--verify needs hypothesis", hint) from None
    found = verify(compiled.program, compiled.plan, requests)
    if found is None:
        click.echo(f"VERIFIED on {requests} generated requests of each phase", err=True)
        return True
    click.echo(f"DIFFERS in the {found.phase.value} phase: {found.difference}", err=True)
    for text in found.texts:
        click.echo(f"  text: {text!r}", err=True)
    return False

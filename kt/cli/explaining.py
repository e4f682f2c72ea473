"""The flags of `kt config compile` that ask to see a plan, and what they may not ask at once.

In: a compiled configuration and the flags. Out: text or JSON. Never: an import of hypothesis before
somebody asks for the proof.
"""

from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import attrs
import click

from kt.cli.compiling import Command
from kt.cli.views import STAGES, VIEWS, View, as_json, as_text, stage_view
from kt.compiler import Compiled, Settings
from kt.compiler.profile import Profile, read_profile
from kt.errors import UsageError
from kt.explain import mermaid_text
from kt.planfile import write_plan

MERMAID = "mermaid"


@attrs.frozen(kw_only=True)
class Wanted:
    """What the flags ask to see."""

    views: tuple[str, ...]
    """Names in VIEWS."""
    stage: str | None
    form: str
    verify: int | None
    analyze: Path | None
    headers: tuple[str, ...]
    """Of the request to analyze, as `NAME: VALUE`."""
    as_json: bool

    @property
    def is_explicit(self) -> bool:
        """Whether anything at all is asked for."""
        return self.as_json or any(True for _ in self._asked())

    def demand_one_output(self) -> None:
        """Raise UsageError where what is asked for cannot stand in one output."""
        if self.headers and self.analyze is None:
            raise UsageError("--header is of a request", "give the request with --analyze REQUEST")
        asked = list(self._asked())
        alone = [one for one in asked if one in (f"--format {MERMAID}", f"--stage {self.stage}")]
        if alone and len(asked) > 1:
            other = next(one for one in asked if one is not alone[0])
            hint = "ask for one of them at a time"
            raise UsageError(f"{alone[0]} and {other} are different outputs", hint)
        if self.as_json and self.form == MERMAID:
            hint = "leave one of them out"
            raise UsageError(f"--json and --format {MERMAID} are different outputs", hint)

    def _asked(self) -> Iterator[str]:
        yield from (f"--{name}" for name in self.views)
        if self.stage is not None:
            yield f"--stage {self.stage}"
        if self.form == MERMAID:
            yield f"--format {MERMAID}"
        if self.analyze is not None:
            yield "--analyze"


def explaining_options(command: Command) -> Command:
    """Give a command the flags that show more of a plan; it gets them as `wanted`."""

    @click.option(
        "--json", "as_json", is_flag=True, help="Show the plan, or what is asked, as JSON."
    )
    @click.option(
        "--stage", type=click.Choice(list(STAGES)), help="Show what one stage of the compiler made."
    )
    @click.option(
        "--format",
        "form",
        type=click.Choice(["text", MERMAID]),
        default="text",
        help="Show the plan as text (the default) or as a Mermaid flow chart.",
    )
    @click.option(
        "--verify",
        type=click.IntRange(1, 1_000_000),
        metavar="N",
        help="Prove the plan on N generated requests and answers (needs the extra 'testing').",
    )
    @click.option(
        "--analyze",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="REQUEST",
        help="Run the input phase on a request's body (JSON) and show what each policy says.",
    )
    @click.option(
        "--header",
        "headers",
        multiple=True,
        metavar="NAME:VALUE",
        help="A header of the request to analyze, for conditions that ask about it.",
    )
    @click.option(
        "--profile",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="EVENTS",
        help="Order by what an audit log (events.jsonl) measured.",
    )
    @wraps(command)
    def with_wanted(*args: object, settings: Settings, profile: Path | None, **rest: Any) -> Any:
        views = tuple(name for name in VIEWS if rest.pop(name))
        flags = {field.name for field in attrs.fields(Wanted)} - {"views"}
        wanted = Wanted(views=views, **{name: rest.pop(name) for name in flags})
        wanted.demand_one_output()
        if profile is not None:
            settings = attrs.evolve(settings, profile=load_profile(profile))
        return command(*args, settings=settings, wanted=wanted, **rest)

    for view in reversed(list(VIEWS.values())):
        with_wanted = click.option(f"--{view.name}", is_flag=True, help=view.help)(with_wanted)
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
    """Everything that was asked for: one text, or one document."""
    if wanted.form == MERMAID:
        return mermaid_text(compiled.plan)
    views = tuple(_views(wanted))
    if not views:
        views = () if wanted.as_json else (VIEWS["explain"],)
    if not wanted.as_json:
        return as_text(views, compiled)
    return (as_json(views, compiled) if views else write_plan(compiled.plan).decode()) + "\n"


def _views(wanted: Wanted) -> Iterator[View]:
    yield from (VIEWS[name] for name in wanted.views)
    if wanted.stage is not None:
        yield stage_view(wanted.stage)
    if wanted.analyze is not None:
        from kt.cli.analyzing import analysis_view  # NOT: at the top. It brings the runtime.

        yield analysis_view(wanted.analyze, wanted.headers)


def prove(compiled: Compiled, requests: int) -> bool:
    """Hold the plan against the naive order; print the smallest case on which it differs."""
    try:
        from kt.verify import verify
    except ModuleNotFoundError:
        hint = "install the extra: pip install 'kt[testing]'"
        raise UsageError("--verify needs hypothesis", hint) from None
    found = verify(compiled.program, compiled.plan, requests)
    if found is None:
        click.echo(f"VERIFIED on {requests} requests, answers and streamed answers each", err=True)
        return True
    click.echo(f"DIFFERS in the {found.case.phase.value} phase: {found.difference}", err=True)
    for line in found.case.told():
        click.echo(f"  {line}", err=True)
    return False

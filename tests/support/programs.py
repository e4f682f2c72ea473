"""Programs in a few words, for rules whose facts no kind has yet.

One line is one step in declared order: its name, then words. `blocks edits acts remembers` say what
it may do, `thread network` what it costs, `redacted` what it sees, `output tool audit` where it
runs (else on the input), `folded` on which view its rule looks, `disabled` that it is switched off,
`free` that its order is; `group=NAME`, `limit=2s` and `measured=RUNS/BLOCKS/MILLISECONDS` of all
runs.
"""

import itertools
from collections.abc import Sequence

import attrs

from kt.compiler.optimizer import RULES
from kt.compiler.optimizer.run import run
from kt.compiler.profile import Measured, Profile
from kt.compiler.program import PARTS, Program
from kt.plan import Limit, Scan, Stage, Step
from kt.policy import Cost, Facts, Phase, Sees, View
from kt.units import parse_duration
from tests.support.plans import plan, scan_step


def program_of(steps: Sequence[Step], groups: Sequence[str | None] = ()) -> Program:
    """A program of some steps, everything else as small as can be."""
    whole = plan()
    named = itertools.chain(groups, itertools.repeat(None))
    return Program(
        name="test",
        version="1.0.0",
        enabled=True,
        stages=tuple(
            Stage(steps=(one,), group=group) for one, group in zip(steps, named, strict=False)
        ),
        targets=(),
        listen_port=1,
        timeouts=whole.timeouts,
        admission=whole.admission,
        sizes=whole.sizes,
        keep_answer_whole=False,
        server_timing=True,
    )


def read_program(text: str) -> Program:
    """The program that some lines describe."""
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    steps = [_step(order, line[0], line[1:]) for order, line in enumerate(lines)]
    program = program_of(steps, [_option(line, "group") for line in lines])
    rows = [
        Measured(step.name, step.phase.value, *map(int, measured.split("/")))
        for step, line in zip(steps, lines, strict=True)
        if (measured := _option(line, "measured"))
    ]
    disabled = frozenset(at for at, line in enumerate(lines) if "disabled" in line)
    thousands = tuple(attrs.evolve(row, microseconds=row.microseconds * 1000) for row in rows)
    return attrs.evolve(program, disabled=disabled, profile=Profile(thousands))


def arranged(text: str) -> str:
    """What the optimizer makes of such a program: every change, the stages, the reasons."""
    program, trace = run(read_program(text), RULES)
    lines = [
        f"{change.rule} {change.phase.value}: {', '.join(change.before)}"
        f" -> {', '.join(change.after) or 'nothing'}"
        for change in trace
    ]
    for part in PARTS:
        for at, stage in enumerate(program.phase(part), start=1):
            lines += [_shown(f"{part.value} {at}", step) for step in stage.steps]
    return "\n".join(lines) + "\n"


def _shown(place: str, step: Step) -> str:
    return f"{place} {step.name}: {'; '.join(step.because)}".removesuffix(": ")


def _step(order: int, name: str, words: list[str]) -> Step:
    phases = [phase for phase in Phase if phase.value in words]
    step = scan_step(name, "a", phase=phases[0] if phases else Phase.INPUT, order=order)
    if "folded" in words and isinstance(step.body, Scan):
        rules = tuple(attrs.evolve(rule, view=View.FOLDED) for rule in step.body.rules)
        step = attrs.evolve(step, body=attrs.evolve(step.body, rules=rules))
    costs = [cost for cost in Cost if cost.value in words]
    facts = Facts(
        surfaces=frozenset(),
        can_block="blocks" in words,
        edits="edits" in words,
        has_effects="acts" in words,
        keeps_state="remembers" in words,
        cost=costs[0] if costs else Cost.INLINE,
        sees=Sees.REDACTED if "redacted" in words else Sees.ORIGINAL,
        free_order="free" in words,
    )
    limit = Limit(parse_duration(_option(words, "limit") or "2s"), origin="test")
    return attrs.evolve(step, facts=facts, limit=limit)


def _option(words: list[str], name: str) -> str | None:
    values = (word.partition("=")[2] for word in words if word.startswith(f"{name}="))
    return next(values, None)

"""A plan as a Mermaid flow chart, for documents and pull requests."""

from collections.abc import Iterator
from itertools import pairwise

from kt.explain.applicability import only_when
from kt.plan import Ask, NotEnforced, Plan, Record, Scan, Stage, Step
from kt.units import show_duration


def mermaid_text(plan: Plan) -> str:
    """The flow chart: stages in order, targets in the order in which they are tried."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield "flowchart TD"
    yield "  request([request])"
    yield from _stages("input", plan.input)
    yield from _targets(plan)
    yield from _stages("output", plan.output)
    yield "  answer([answer])"
    input_nodes = [f"input{at}" for at in range(1, len(plan.input) + 1)]
    output_nodes = [f"output{at}" for at in range(1, len(plan.output) + 1)]
    way = ["request", *input_nodes, "upstream", *output_nodes, "answer"]
    yield from (f"  {node} --> {after}" for node, after in pairwise(way))
    for at, step in enumerate(plan.audit, start=1):
        yield f"  audit{at}[{_quoted(_label(step))}]"
        yield f"  answer -.-> audit{at}"


def _stages(part: str, stages: tuple[Stage, ...]) -> Iterator[str]:
    for at, stage in enumerate(stages, start=1):
        if len(stage.steps) == 1:
            yield f"  {part}{at}[{_quoted(_label(stage.steps[0]))}]"
            continue
        title = "all of" if stage.group is None else f"all of {stage.group}"
        yield f"  subgraph {part}{at}[{_quoted(title)}]"
        for member, step in enumerate(stage.steps, start=1):
            yield f"    {part}{at}_{member}[{_quoted(_label(step))}]"
        yield "  end"


def _targets(plan: Plan) -> Iterator[str]:
    yield "  subgraph upstream[upstream]"
    yield "    direction LR"
    nodes = [f"target{at}" for at in range(1, len(plan.targets) + 1)]
    for node, target in zip(nodes, plan.targets, strict=True):
        yield f"    {node}[/{_quoted(target.id)}/]"
    for node, after in pairwise(nodes):
        yield f"    {node} -.->|cannot be reached| {after}"
    yield "  end"


def _label(step: Step) -> str:
    match step.body:
        case Scan(action=action) | Ask(action=action):
            verb = action.value
        case Record():
            verb = "record"
        case NotEnforced():
            verb = "skip"
    parts = [f"{verb} {step.name}", f"within {show_duration(step.limit.seconds)}"]
    return ", ".join(filter(None, (*parts, only_when(step))))


def _quoted(text: str) -> str:
    """A label in which nothing means anything to Mermaid."""
    safe = text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;")
    return f'"{" ".join(safe.split())}"'

"""Which text is read by which policy: path by surface by phase by streamed or not.

In: Plan. Out: one row per path that some target serves, surface of its format and way of answering,
and what is exempt with its reason. Never: a policy that is not performed, a list of surfaces of our
own: the tables of the formats say which there are.

Every performed policy reads all segments of its phase. Patterns read a streamed answer as it grows,
but for the arguments of tool calls, which are read at their end; where a service that judges only
whole answers is for a request, there is no streamed one.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby

import attrs

from kt.exchange import Surface
from kt.explain.applicability import only_when
from kt.explain.tables import section
from kt.plan import Ask, Plan, Scan, Step
from kt.policy import Phase, Streams
from kt.wire.endpoints import FORMATS
from kt.wire.format import Format

UNREAD = "forwarded unread"
"""What the plan lets pass on other paths."""

EXEMPT = (
    ("names and words of the API", "vocabulary: they say the same in every body"),
    ("pictures, sound and files", "binary, no text: what a model reads in them is not judged"),
    ("the provider's own fields", "written by its server and not by the model"),
    ("log-probabilities", "they repeat the text, and are removed where it is edited"),
    ("errors of the provider", "passed on as they are"),
)
"""docs/coverage.md says more."""


@attrs.frozen
class Cell:
    """One surface in one phase: who reads it, and how."""

    path: str
    body: str
    """`request`, `answer` or `streamed answer`."""
    surface: Surface
    readers: tuple[str, ...]
    how: str
    conditional: tuple[str, ...] = ()
    """Those of the readers that are for some requests only."""

    @property
    def is_read(self) -> bool:
        """Whether anybody reads it."""
        return bool(self.readers)

    @property
    def is_always_read(self) -> bool:
        """Whether somebody reads it whatever the request is."""
        return len(self.readers) > len(self.conditional)


def coverage(plan: Plan) -> Iterator[Cell]:
    """Every cell of the matrix."""
    for form in FORMATS.values():
        if _is_served(form, plan):
            yield from _of_format(form, plan)
    for pattern in plan.passthrough:
        for body in ("request", "answer"):
            yield Cell(pattern, body, Surface.OTHER, (), UNREAD)


def coverage_text(plan: Plan) -> str:
    """The matrix as text, a table per path."""
    lines = [
        *(
            line
            for path, cells in groupby(coverage(plan), lambda cell: cell.path)
            for line in section(f"coverage of {path}", map(_row, cells))
        ),
        *_conditions(plan),
        *section("exempt", EXEMPT),
    ]
    return "\n".join(lines) + "\n"


def _is_served(form: Format, plan: Plan) -> bool:
    """Whether some target speaks the format; a plan without targets may still get any."""
    spoken = {target.format for target in plan.targets}
    return not spoken or None in spoken or form.dialect in spoken


def _of_format(form: Format, plan: Plan) -> Iterator[Cell]:
    asked, answered = _readers(plan, Phase.INPUT), _readers(plan, Phase.OUTPUT)
    request, answer = form.request, form.answer
    for surface in _surfaces(request.surfaces, request.roles, request.types):
        yield _cell(form.path, "request", surface, asked, "whole")
    surfaces = _surfaces(answer.surfaces, answer.roles, answer.types)
    for surface in surfaces:
        yield _cell(form.path, "answer", surface, answered, "whole")
    for surface in surfaces if form.stream is not None else ():
        how = _refused(answered) or ("whole" if plan.keep_answer_whole else _streamed(surface))
        yield _cell(form.path, "streamed answer", surface, answered, how)


def _surfaces(*tables: Mapping[str, Surface]) -> tuple[Surface, ...]:
    """What the tables of a body name, and what stands where none of them says anything."""
    named = {Surface.OTHER, *(surface for table in tables for surface in table.values())}
    return tuple(surface for surface in Surface if surface in named)


def _cell(path: str, body: str, surface: Surface, steps: tuple[Step, ...], how: str) -> Cell:
    readers = tuple(step.name for step in steps)
    conditional = tuple(step.name for step in steps if step.when is not None)
    return Cell(path, body, surface, readers, how, conditional)


def _row(cell: Cell) -> tuple[str, ...]:
    if not cell.is_read:
        why = UNREAD if cell.how == UNREAD else "no policy of the chain reads it"
        return cell.body, cell.surface.value, "NOT READ", why
    marked = (f"{name} (sometimes)" if name in cell.conditional else name for name in cell.readers)
    how = cell.how if cell.is_always_read else f"{cell.how}, but not of every request"
    return cell.body, cell.surface.value, ", ".join(marked), how


def _conditions(plan: Plan) -> Iterator[str]:
    """What the marks mean; nothing where there is none."""
    rows = [
        (phase.value, step.name, only_when(step))
        for phase in (Phase.INPUT, Phase.OUTPUT)
        for step in _readers(plan, phase)
        if step.when is not None
    ]
    if rows:
        yield from section("sometimes", rows)


def _readers(plan: Plan, phase: Phase) -> tuple[Step, ...]:
    return tuple(step for step in plan.steps(phase) if isinstance(step.body, Scan | Ask))


def _refused(steps: tuple[Step, ...]) -> str:
    """What is said where streams are refused; empty where they are not."""
    whole = [step for step in steps if step.facts.streams is Streams.WHOLE]
    always = [step.name for step in whole if step.when is None]
    if always or not whole:
        return f"refused: {always[0]} judges only whole answers" if always else ""
    return f"refused where {whole[0].name} is for the request"


def _streamed(surface: Surface) -> str:
    match surface:
        case Surface.TOOL_ARGUMENTS:
            return "at the end of the call"
        case Surface.TOOL_RESULT:
            return "event by event"
        case Surface.OTHER:
            return "as it grows, or event by event"
        case _:
            return "as it grows"

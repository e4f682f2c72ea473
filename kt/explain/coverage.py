"""Which text is read by which policy: surface by phase by streamed or not.

In: Plan. Out: one row per surface of the chat format and way of answering, and what is exempt with
its reason. Never: a policy that is not performed.

Every performed policy is a set of patterns, which reads all segments of its phase; a streamed
answer is read as it grows, but for the arguments of tool calls, which are read at their end.
"""

from collections.abc import Iterator

import attrs

from kt.exchange import Surface
from kt.explain.applicability import only_when
from kt.explain.tables import section
from kt.plan import Plan, Scan, Step
from kt.policy import Phase

REQUEST = (
    Surface.SYSTEM,
    Surface.USER,
    Surface.ASSISTANT,
    Surface.TOOL_RESULT,
    Surface.TOOL_ARGUMENTS,
    Surface.TOOL_DESCRIPTION,
    Surface.OTHER,
)
"""The surfaces of a request in which text can stand."""
ANSWER = (
    Surface.CONTENT,
    Surface.REFUSAL,
    Surface.REASONING,
    Surface.TOOL_ARGUMENTS,
    Surface.OTHER,
)
"""The surfaces of an answer in which text can stand."""

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
    asked, answered = _readers(plan, Phase.INPUT), _readers(plan, Phase.OUTPUT)
    for surface in REQUEST:
        yield _cell("request", surface, asked, "whole")
    for surface in ANSWER:
        yield _cell("answer", surface, answered, "whole")
    for surface in ANSWER:
        how = "whole" if plan.keep_answer_whole else _streamed(surface)
        yield _cell("streamed answer", surface, answered, how)


def _cell(body: str, surface: Surface, steps: tuple[Step, ...], how: str) -> Cell:
    readers = tuple(step.name for step in steps)
    conditional = tuple(step.name for step in steps if step.when is not None)
    return Cell(body, surface, readers, how, conditional)


def coverage_text(plan: Plan) -> str:
    """The matrix as text."""
    lines = [
        *section("coverage of /v1/chat/completions", map(_row, coverage(plan))),
        *_conditions(plan),
        *section("exempt", EXEMPT),
    ]
    return "\n".join(lines) + "\n"


def _row(cell: Cell) -> tuple[str, ...]:
    if not cell.is_read:
        return cell.body, cell.surface.value, "NOT READ", "no policy of the chain reads it"
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
    return tuple(step for step in plan.steps(phase) if isinstance(step.body, Scan))


def _streamed(surface: Surface) -> str:
    if surface is Surface.TOOL_ARGUMENTS:
        return "at the end of the call"
    return "event by event" if surface is Surface.OTHER else "as it grows"

"""What `kt config compile` can show of a plan: each view as text for people and as data.

In: a compiled configuration and the names of views. Out: text, or one stable JSON document. Never:
an import that only a view needs, before somebody asks for it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from kt.compiler import Compiled
from kt.explain import (
    cardinality,
    cardinality_text,
    coverage,
    coverage_text,
    explain_text,
    explanation,
    failures,
    failures_text,
    patterns_text,
    searched,
    trace_text,
)
from kt.plan import to_data

FORMAT = 1
"""Of the JSON document."""


@attrs.frozen
class View:
    """One thing to see."""

    name: str
    help: str
    text: Callable[[Compiled], str]
    data: Callable[[Compiled], object]
    """Frozen values, or an iterator of them."""


VIEWS: Mapping[str, View] = MappingProxyType(
    {
        view.name: view
        for view in (
            View(
                "explain",
                "Show the plan as text (the default).",
                lambda compiled: explain_text(compiled.plan),
                lambda compiled: explanation(compiled.plan),
            ),
            View(
                "trace",
                "Show what each rule of the optimizer changed.",
                lambda compiled: trace_text(compiled.trace),
                lambda compiled: compiled.trace,
            ),
            View(
                "failures",
                "Show what the client sees of each failure.",
                lambda compiled: failures_text(compiled.plan),
                lambda compiled: failures(compiled.plan),
            ),
            View(
                "coverage",
                "Show which text is read by which policy.",
                lambda compiled: coverage_text(compiled.plan),
                lambda compiled: coverage(compiled.plan),
            ),
            View(
                "patterns",
                "Show every rule that is looked for.",
                lambda compiled: patterns_text(compiled.plan),
                lambda compiled: searched(compiled.plan),
            ),
            View(
                "metrics",
                "Show how many series the metrics can have.",
                lambda compiled: cardinality_text(compiled.plan),
                lambda compiled: cardinality(compiled.plan),
            ),
        )
    }
)
"""Flag -> view, in the order in which they are shown."""

STAGES: Mapping[str, Callable[[Compiled], object]] = MappingProxyType(
    {
        "tree": lambda compiled: compiled.tree,
        "config": lambda compiled: compiled.config,
        "program": lambda compiled: compiled.program,
        "optimized": lambda compiled: compiled.optimized,
        "plan": lambda compiled: compiled.plan,
    }
)
"""Every form that a configuration has on its way, in order."""


def as_text(views: Iterable[View], compiled: Compiled) -> str:
    """The views one after the other."""
    return "".join(view.text(compiled) for view in views)


def as_json(views: Iterable[View], compiled: Compiled) -> str:
    """The views as one document, each under its name."""
    shown = {view.name: _data(view.data(compiled)) for view in views}
    return as_document({"digest": compiled.plan.digest, **shown})


def as_document(content: Mapping[str, Any]) -> str:
    """Data as a document that says its format."""
    return json.dumps({"format": FORMAT, **content}, indent=2, ensure_ascii=False, default=str)


def stage_view(name: str) -> View:
    """What one stage of the compiler made: data even for people."""

    def text(compiled: Compiled) -> str:
        data = to_data(STAGES[name](compiled))
        return json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n"

    return View(name, "", text, STAGES[name])


def _data(value: object) -> Any:  # Any: JSON is any shape
    return to_data(value if attrs.has(type(value)) else tuple(value))  # type: ignore[arg-type]

"""What is wrong with the fields of a policy, as a value that the compiler places in the config.

In: a kind's fields. Out: problems with a dotted field and, inside a pattern, offsets. Never: text
of requests; a position in a file, which only the compiler knows.
"""

from typing import TYPE_CHECKING

import attrs

from kt.patterns.syntax import PatternError
from kt.policy import Rule

if TYPE_CHECKING:
    from kt.patterns.parser import PatternWarning


@attrs.frozen(kw_only=True)
class Problem:
    """One finding about one field."""

    field: str
    """Dotted, as in `redaction.custom_markers.SSN` or `detect_patterns[2]`; empty: all of it."""
    code_name: str
    """`not_enforced`, `conflict`, `out_of_range`, `unknown_entity`, `unknown_marker`, `not_found`,
    or the code of a `PatternError`."""
    message: str
    hint: str | None = None
    start: int | None = None
    """Where inside the field's string, in characters; None means all of it."""
    end: int | None = None
    is_warning: bool = False


def not_enforced(field: str, value: object, hint: str) -> tuple[Problem, ...]:
    """Warn of a field that is set and that nothing acts on yet; `None` means it is not set."""
    if value is None:
        return ()
    return (
        Problem(
            field=field,
            code_name="not_enforced",
            message=f"'{field}' is set, but not enforced yet",
            hint=hint,
            is_warning=True,
        ),
    )


def out_of_range(field: str, value: float | None, low: float, high: float) -> tuple[Problem, ...]:
    """Report a number outside `low`..`high`, both allowed."""
    if value is None or low <= value <= high:
        return ()
    message = f"'{field}' is {value:g}, outside {low:g} to {high:g}"
    return (Problem(field=field, code_name="out_of_range", message=message),)


def conflict(field: str, value: object, other: str, other_value: object) -> tuple[Problem, ...]:
    """Report two spellings of one thing that say different things."""
    if value is None or other_value is None or value == other_value:
        return ()
    message = f"'{field}' and '{other}' mean the same thing and differ"
    hint = f"keep only '{field}'"
    return (Problem(field=field, code_name="conflict", message=message, hint=hint),)


def bad_pattern(field: str, pattern: str) -> tuple[Problem, ...]:
    """Report what the rule dialect says about a pattern: one error, or its warnings."""
    from kt.patterns.matcher import check_rule  # NOT: at the top. Few configs have patterns.

    try:
        parsed = check_rule(Rule(id=field, pattern=pattern))
    except PatternError as error:
        return (attrs.evolve(_located(field, error), hint=error.hint),)
    return tuple(
        attrs.evolve(_located(field, warning), is_warning=True) for warning in parsed.warnings
    )


def _located(field: str, finding: "PatternError | PatternWarning") -> Problem:
    return Problem(
        field=field,
        code_name=finding.code,
        message=finding.message,
        start=finding.start,
        end=finding.end,
    )

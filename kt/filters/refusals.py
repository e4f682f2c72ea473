"""Why a filter is refused: the error, and the table of what it says.

Nobody writes a message at the point of use, so the wording stays even.
"""

from collections.abc import Mapping
from types import MappingProxyType

REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # ---- The text
        "too_large": ("a filter has at most {limit} characters", "split it"),
        "too_deep": ("nested deeper than {limit} levels", "leave out parentheses, or split it"),
        "too_many": ("a filter has at most {limit} comparisons", "write a list: x in [1, 2]"),
        "long_list": ("a list has at most {limit} values", "use starts_with or matches"),
        "bad_character": (
            "a character that means nothing here",
            "conditions are joined with and, or and not, and text stands in quotes",
        ),
        "unclosed_text": ("a text without its closing quote", r"close it; a quote in it is \""),
        # ---- The syntax: kt/filters/mistakes.py has an example of each
        "missing_condition": (
            "a condition is missing here",
            "write one, for example status == 200, or exists(policy)",
        ),
        "missing_operator": (
            "a comparison is missing here",
            "write ==, <, in, contains or the like; and, or and not are in lower case",
        ),
        "double_operator": ("two operators in a row", "use == != < <= > >= or in"),
        "missing_value": ("a value is missing here", 'write a number, a "text", or a [list]'),
        "missing_in": ("only 'in' can follow 'not' here", "write not in, or put not in front"),
        "name_as_value": (
            "a field is compared with a value, not with a name",
            'put text in quotes: "block"',
        ),
        "missing_and": (
            "two conditions without a word between them",
            "write and, or, or not in lower case between conditions",
        ),
        "chained_comparison": (
            "only a field can be compared, and once",
            "begin with the field, and compare twice: x > 1 and x < 5",
        ),
        "value_first": ("a value cannot come first", "begin with the field: latency_ms > 500"),
        "unclosed_parenthesis": ("a parenthesis is not closed", "close it with )"),
        "unopened_parenthesis": ("a parenthesis was never opened", "remove it"),
        "unclosed_list": ("the list is not closed", "close it with ]"),
        "bad_list": ("not a list", 'separate values with commas: ["a", "b"]'),
        "bad_exists": ("exists takes one field", "write exists(policy)"),
        "bad_key": ("not a key in brackets", 'write the name in quotes: header["x-env"]'),
        # ---- The meaning
        "unknown_field": ("unknown field '{word}'", "fields of this {subject}: {names}"),
        "needs_key": ("'{word}' needs a name in brackets", 'write header["x-env"]'),
        "takes_no_key": ("'{word}' takes no name in brackets", "leave out the brackets"),
        "bad_header_name": (
            "no header can have this name",
            "use letters, digits and hyphens, such as x-env",
        ),
        "bad_number": (
            "not a number, a duration or a size",
            "write 500, 0.5, 250ms, 5s, 2m, 1h, 7d, 64KB or 10MB",
        ),
        "mixed_units": ("'{word}' is a {expected}, this is a {found}", "{allowed}"),
        "wrong_type": ("'{word}' is a {expected}, this is a {found}", "{allowed}"),
        "never_null": ("'{word}' is never null", "write not exists({word})"),
        "wrong_operator": ("'{operator}' does not compare a {expected}", "'{word}': use {allowed}"),
        "needs_list": ("'{operator}' needs a list", "write {operator} [...]"),
        "no_list": ("'{operator}' takes one value, not a list", "use in, or not in"),
        "not_a_condition": (
            "'{word}' is a {expected}, which is no condition by itself",
            "compare it, or write exists({word})",
        ),
        "unknown_word": ("'{word}' is never this text", "it is one of: {allowed}"),
        "half_character": ("half a surrogate pair is no text", "remove it"),
        "bad_pattern": ("{problem}", "{hint}"),
        "bad_condition": (
            "not a condition that can be read from a map",
            "give a value, a list of values, or for header a map of names",
        ),
    }
)
"""Code -> message and hint."""


class FilterError(Exception):
    """A text that is no filter: a code for programs, and where in the text it is.

    For a structured form the positions are those of the conditions that were given.
    """

    def __init__(self, code: str, message: str, start: int, end: int, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint


def refusal(
    code: str, start: int, end: int, near: str | None = None, **words: object
) -> FilterError:
    """The error of a code for one place; where a near word is known, that is the hint."""
    message, hint = REASONS[code]
    hint = hint.format(**words) if near is None else f"did you mean '{near}'?"
    return FilterError(code, message.format(**words), start, end, hint)

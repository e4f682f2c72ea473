"""The table of why a pattern is refused: code -> message and hint.

Nobody writes a message at the point of use, so the wording stays even.
"""

from collections.abc import Mapping
from types import MappingProxyType

from kt.patterns.syntax import PatternError

_NO_BACKTRACKING = "rules are matched in linear time, which rules this out; "

REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "atomic_group": ("atomic groups are not supported", "write a plain group: (?:...)"),
        "backreference": (
            "back-references are not supported",
            _NO_BACKTRACKING + "write out what is repeated",
        ),
        "bad_character": ("a character that no text can contain", "remove it"),
        "bad_code_point": (
            "not a code point",
            r"write \xHH, \x{H...} up to 10FFFF without surrogates, or \uHHHH",
        ),
        "bad_range": (
            "not a range of characters",
            r"put the smaller end first, and write '-' itself last or as \-",
        ),
        "bad_repeat": ("the repeat's minimum is larger than its maximum", "swap them"),
        "comment": ("comments are not supported", "remove it"),
        "conflict": ("nothing can stand here", "check the characters before it"),
        "empty_set": ("the set has no characters", r"put one in; ']' itself is \]"),
        "lone_backslash": ("a backslash with nothing after it", r"write \\ for a backslash"),
        "lookaround": (
            "look-around is not supported",
            _NO_BACKTRACKING + r"use \b, or match the context and accept that it is found too",
        ),
        "late_flags": (
            "flags for the rest of a pattern stand at its start only",
            "move them there, or write (?i:...) around what they are for",
        ),
        "matches_empty": (
            "the pattern matches the empty text",
            "demand at least one character, for example with + instead of *",
        ),
        "nothing_to_repeat": (
            "nothing that can be repeated stands before this",
            "put what is repeated in a group, or escape the character",
        ),
        "posix_set": (
            "named sets are not supported",
            r"write the characters: \d, \w, \s, a-z; '[' itself is \[",
        ),
        "possessive": (
            "possessive quantifiers are not supported",
            "leave out the second +: matches are the longest ones anyway",
        ),
        "property": ("Unicode properties are not supported", "write the characters as ranges"),
        "repeat_too_large": (
            "more than 1000 repeats, counting repeats inside each other",
            "use a smaller number, or + or * for no bound",
        ),
        "too_deep": ("groups are too deep inside each other", "take some of them apart"),
        "too_large": ("the pattern is too large", "split it into several rules"),
        "unbalanced": ("a parenthesis without its other half", r"close it, or write \( or \)"),
        "unclosed_set": ("the set is not closed", r"close it with ], or write \["),
        "unescaped_brace": (
            "neither a repeat nor an escaped brace",
            r"write \{ for a brace; repeats are {n}, {n,} and {n,m}",
        ),
        "unknown_escape": ("an escape that the dialect does not have", "remove the backslash"),
        "unknown_flag": ("only the flags i and s are supported", "write (?i), (?s) or (?is)"),
        "unknown_group": (
            "a kind of group that the dialect does not have",
            "groups are (...), (?:...), (?P<name>...) and (?i:...)",
        ),
        "unknown_validator": ("there is no validator of that name", "use one of the known names"),
        "validator_unbounded": (
            "a rule with a validator needs a bounded length",
            "replace *, + and {n,} by {n,m}",
        ),
    }
)

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "LOOKAROUND": "lookaround",
        "BACKREFERENCE": "backreference",
        "POSSESSIVE": "possessive",
        "ATOMIC": "atomic_group",
        "PROPERTY": "property",
        "COMMENT": "comment",
        "LATE_FLAGS": "late_flags",
        "UNKNOWN_GROUP": "unknown_group",
        "POSIX_SET": "posix_set",
        "UNKNOWN_ESCAPE": "unknown_escape",
        "BAD_CODE_POINT": "bad_code_point",
        "LONE_BACKSLASH": "lone_backslash",
        "BRACE": "unescaped_brace",
    }
)
"""Token of the grammar's second part -> code."""

UNEXPECTED: Mapping[str, str] = MappingProxyType(
    {
        "QUANTIFIER": "nothing_to_repeat",
        "RPAR": "unbalanced",
        "RSQB": "empty_set",
        "HYPHEN": "bad_range",
        "LAST_HYPHEN": "bad_range",
        "SHORTHAND": "bad_range",
        "WORD_BOUNDARY": "unknown_escape",
        "NOT_WORD_BOUNDARY": "unknown_escape",
        "TEXT_START": "unknown_escape",
        "TEXT_END": "unknown_escape",
    }
)
"""Token that stands where the grammar has none -> code."""


def refusal(code: str, start: int, end: int) -> PatternError:
    """The error of a code for one place in the pattern."""
    message, hint = REASONS[code]
    return PatternError(code, message, start, end, hint)

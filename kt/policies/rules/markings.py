"""Markings that classify a text: what dlp-filter finds above the standard sensitivity."""

from kt.policies.rules.signal import Signal, signal

HIGH: tuple[Signal, ...] = (
    # A banner says the level in capitals, alone for the highest one, else with what limits it.
    Signal(
        "banner",
        r"\b(?:TOP SECRET|(?:SECRET|CONFIDENTIAL|UNCLASSIFIED|RESTRICTED|TS|CUI) ?//)"
        r"(?: ?/{0,2}(?:[A-Z]{2,20}|[A-Z]{1,10}-[A-Z]{1,10})\b){0,6}",
    ),
    Signal("portion", r"\((?:(?:TS|S|C|CUI)//[A-Z]{2,12}(?:[ ,/-]{1,2}[A-Z]{2,12}){0,5}|TS|CUI)\)"),
    Signal("cui", r"\bCUI\b"),
    signal(
        "handling",
        r"""\b(?:(?:strictly|highly|company|commercial(?:ly)?)[ -]{1,2}(?:confidential|private
        |in confidence)
        |confidential (?:and|&) proprietary|proprietary (?:and|&) confidential|internal use only
        |for internal (?:use|distribution)|for official use only|not for (?:public )?(?:release
        |distribution)
        |do not distribute|eyes only|need[ -]to[ -]know(?: basis)?|attorney[ -]client privileged?
        |trade secrets?)\b""",
    ),
)
"""Found at `high` and above."""

RESTRICTED: tuple[Signal, ...] = (
    Signal("level", r"\b(?:SECRET|CONFIDENTIAL|RESTRICTED|CLASSIFIED|PROPRIETARY|SENSITIVE)\b"),
)
"""Found at `restricted` only: single words in capitals, which stand in much harmless text too."""

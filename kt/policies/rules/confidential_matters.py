"""The patterns of mnpi-filter and legal-privilege: what such a text says about itself."""

from kt.policies.rules.signal import Signal, signal

INSIDER: tuple[Signal, ...] = (
    signal(
        "marking",
        r"""\b(?:(?:material )?non-?public information|insider information|mnpi
        |under (?:a )?(?:market )?embargo|not yet (?:public(?:ly)?|announced)
        |before (?:the |it is |they are )?(?:public(?:ly)? )?announce(?:d|ment))\b""",
    ),
    signal(
        "deal",
        r"""\b(?:pending|unannounced|confidential|undisclosed) (?:merger|acquisition|takeover
        |tender offer|buy-?out|divestiture|ipo|spin-?off)s?\b""",
    ),
    signal(
        "results",
        r"""\b(?:unreleased|unpublished|unannounced|pre-?release) (?:quarterly |annual )?
        (?:earnings|results|revenues?|guidance|financials)\b""",
    ),
)
"""Material that only insiders of a company know."""

PRIVILEGE: tuple[Signal, ...] = (
    signal(
        "marking",
        r"""\b(?:attorney[ -/]{1,3}client privileged?|privileged (?:and|&|/) confidential
        |privileged communications?|(?:attorney )?work[ -]product(?: doctrine| privileged?)?
        |legal professional privilege|solicitor[ -]client privileged?)\b""",
    ),
    signal(
        "litigation",
        r"\bprepared (?:in anticipation of litigation|at the (?:direction|request) of counsel)\b",
    ),
)
"""What is between lawyer and client."""

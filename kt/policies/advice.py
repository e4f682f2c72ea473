"""What the kinds that keep advice out of answers have in common: a list of phrases, and a block."""

from kt.plan import NotEnforced, Scan
from kt.policies.terms import TermList
from kt.policy import Action, Phase


def advice_terms(entries: tuple[str, ...]) -> TermList:
    """The phrases of `blocked_patterns`."""
    return TermList(field="blocked_patterns", entries=entries)


def advice_body(
    family: str, subject: str, entries: tuple[str, ...], phase: Phase
) -> Scan | NotEnforced:
    """A scan for the phrases that block; without any, advice is not told from information."""
    if not entries:
        return NotEnforced(reason=f"no {subject} advice is recognized: blocked_patterns is empty")
    return Scan(
        rules=tuple(advice_terms(entries).rules(family, "[ADVICE]")),
        action=Action.BLOCK,
        message=f"{phase.subject} blocked: it contains {subject} advice",
    )

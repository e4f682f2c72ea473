"""Hold back streamed text until it is judged: the safe frontier at work in one lane. No I/O.

Theory of operation. A lane is one growing text of an answer (a choice's content, one tool call's
arguments). Every piece is fed to the scanner of all rules that may edit or block. The scanner
reports matches once they are final, and a frontier: below it nothing can still begin, grow or be
validated. Three offsets (UTF-8 bytes of the original text) move forward and never back:

    released <= frontier <= fed        and `swallowed`, up to which an emitted label stands

Text below the frontier is released with its edits. A merged span's label is sent as soon as its
start is below the frontier: later spans that overlap it can only extend what is swallowed. A
replacement computed from the text waits until its span is wholly below the frontier, because only
then is it known to stand alone.

Rules of this file: what lies at or above the frontier never leaves; a final match of a blocking
rule ends the lane at once; a hold above the cap ends it too, never as a guessed redaction.
"""

import attrs

from kt.edits import Merged, merge
from kt.patterns.matcher import RuleSet
from kt.patterns.scanner import IsOver, never
from kt.plan import Scan, Step
from kt.policy import Action, Edit, Finding, Rule
from kt.runtime.engine import edit_of


@attrs.frozen
class Owned:
    """A rule of the fused scan: the step that brought it and its index there."""

    step: Step
    scan: Scan
    index: int
    part: int = 0
    """The rules with which it is compiled: those for every request, or those of its step alone."""

    @property
    def rule(self) -> Rule:
        """The rule itself."""
        return self.scan.rules[self.index]


class Blocked(Exception):
    """The text of this lane must not go on; `owner` is the rule that found the reason."""

    def __init__(self, owner: Owned, finding: Finding) -> None:
        super().__init__(owner.step.name)
        self.owner = owner
        self.step = owner.step
        self.finding = finding


class HoldExceeded(Exception):
    """More text would have to be held back than the plan allows."""


MAX_RECORDED = 1000
"""How many findings of one lane are kept for the record; all of them are acted on."""


class LaneWindow:
    """The held text of one lane."""

    def __init__(
        self, rules: RuleSet, owners: tuple[Owned, ...], cap: int, is_over: IsOver = never
    ) -> None:
        self._scanner = rules.scanner(is_over)
        self._owners = owners
        self._cap = cap
        self._text = bytearray()
        """The original from `_released` on."""
        self._released = 0
        self._swallowed = 0
        self._pending: list[Edit] = []
        self.findings: list[Finding] = []
        """Everything found so far, for the record."""

    def __repr__(self) -> str:
        return f"<LaneWindow released {self._released}, held {self.held}>"

    @property
    def held(self) -> int:
        """How many bytes of original text wait for a decision."""
        return len(self._text)

    def feed(self, text: str) -> str:
        """Take the next piece and return what may go on.

        Raises Blocked, HoldExceeded or OutOfTime; after that only `give_up` may be called.
        """
        self._text += text.encode()
        self._note(self._scanner.feed(text))
        released = self._release(self._scanner.frontier)
        if self.held > self._cap:
            raise HoldExceeded
        return released

    def finish(self) -> str:
        """The text has ended: return the rest of what may go on. Raises Blocked or OutOfTime."""
        self._note(self._scanner.finish())
        return self._release(self._released + len(self._text))

    def give_up(self) -> str:
        """Return what is held as it came, because nobody is left to judge it."""
        return self._take(self._released + len(self._text)).decode()

    def _note(self, findings: tuple[Finding, ...]) -> None:
        self.findings += findings[: MAX_RECORDED - len(self.findings)]
        for finding in findings:
            owner = self._owners[finding.rule]
            if owner.scan.action is not Action.REDACT:
                raise Blocked(owner, finding)
            own = Finding(owner.index, finding.start, finding.end)
            self._pending.append(edit_of(owner.step, owner.scan, 0, own))

    def _release(self, frontier: int) -> str:
        parts: list[bytes] = []
        for span in merge(self._pending):
            if span.start >= self._swallowed:
                if span.start >= frontier or _must_wait(span, frontier):
                    frontier = min(frontier, span.start)
                    break
                parts.append(self._take(span.start))
                parts.append(span.replacement(bytes(self._text[: span.end - span.start])))
            self._swallowed = max(self._swallowed, span.end)
        self._pending = [edit for edit in self._pending if edit.start >= self._swallowed]
        parts.append(self._take(frontier))
        return b"".join(parts).decode()

    def _take(self, end: int) -> bytes:
        """Move `_released` to `end` and return the text on the way that no label covers."""
        visible = max(self._released, min(self._swallowed, end))
        taken = bytes(self._text[visible - self._released : end - self._released])
        del self._text[: end - self._released]
        self._released = end
        return taken


def _must_wait(span: Merged, frontier: int) -> bool:
    """Whether a replacement computed from the text is not yet known to stand alone."""
    return span.is_alone and span.leader.derived is not None and frontier < span.end

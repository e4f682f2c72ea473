"""Reload: one attempt at a time, and what came of it for who asked.

In: how to attempt it. Out: a report as JSON and as lines of the log. Never: an attempt that began
before it was asked for as the answer, a failure that ends anything, a text of the configuration
beyond what its diagnostics quote.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import attrs
import trio

from kt.diagnostics import Diagnostic
from kt.errors import ConfigError, GatewayError, KtError, UsageError
from kt.runtime.guard import Log, guarded
from kt.source import Source


@attrs.frozen(kw_only=True)
class ReloadReport:
    """What came of one reload."""

    before: str
    """The digest of the plan that ran when it began."""
    after: str
    """The digest of the plan that runs now."""
    changes: tuple[str, ...] = ()
    """What the new plan does otherwise."""
    kept: tuple[str, ...] = ()
    """What differs in the new plan and stays as it was until the gateway starts again."""
    failure: KtError | None = None
    """Why the plan that ran runs on; None where the new one took over."""

    @property
    def result(self) -> str:
        """Its label in the metric."""
        return "activated" if self.failure is None else "failed"

    @property
    def status(self) -> int:
        """The HTTP status that says it."""
        return 200 if self.failure is None else _refusal(self.failure).refusal.status

    def as_data(self) -> dict[str, Any]:
        """The same for programs."""
        data = {"result": self.result, "plan": {"before": self.before, "after": self.after}}
        if self.failure is None:
            return {**data, "changes": list(self.changes), "kept": list(self.kept)}
        return {
            **_refusal(self.failure).body(),
            **data,
            "diagnostics": list(_diagnostics(self.failure)),
        }

    def lines(self) -> Iterator[str]:
        """The same for the log."""
        for name in self.kept:
            yield f"warning: {name} has changed, and stays as it was until the gateway is restarted"
        if self.failure is None:
            yield f"INFO keeptrusts::gateway Reloaded: plan {self.after}, before {self.before}"
            return
        yield _shown(self.failure)
        yield f"INFO keeptrusts::gateway Reload failed: plan {self.after} runs on"


Reload = Callable[[], Awaitable[ReloadReport]]
"""Reads the configuration again and runs what it says; never raises for what is wrong with it."""


class _Run:
    """One attempt, and everybody who waits for it."""

    def __init__(self) -> None:
        self.report: ReloadReport | None = None
        self.done = trio.Event()


class Reloader:
    """Lets attempts happen one after the other; who asks meanwhile shares the next."""

    def __init__(
        self,
        nursery: trio.Nursery,
        attempt: Reload,
        failed: Callable[[KtError], ReloadReport],
        log: Log,
    ) -> None:
        """`failed` makes the report of an attempt that ended with an exception."""
        self._nursery = nursery
        self._attempt = attempt
        self._failed = failed
        self._log = log
        self._lock = trio.Lock()
        self._next: _Run | None = None

    async def reload(self) -> ReloadReport:
        """Wait for an attempt that begins after this call; it goes on if the caller leaves."""
        if self._next is None:
            self._next = _Run()
            self._nursery.start_soon(self._perform, self._next)
        run = self._next
        await run.done.wait()
        return run.report or self._failed(GatewayError("draining", "the gateway is shutting down"))

    async def _perform(self, run: _Run) -> None:
        try:
            async with self._lock:
                self._next = None
                run.report = report = await self._guarded_attempt()
            for line in report.lines():
                self._log(line)
        finally:
            run.done.set()

    async def _guarded_attempt(self) -> ReloadReport:
        reports: list[ReloadReport] = []

        async def attempt() -> None:
            reports.append(await self._attempt_or_failure())

        # A bug in here must cost the new plan only, never what the old one serves.
        await guarded(attempt, self._log)
        bug = GatewayError("internal_error", "the gateway made a mistake")
        return reports[0] if reports else self._failed(bug)

    async def _attempt_or_failure(self) -> ReloadReport:
        try:
            return await self._attempt()
        except* KtError as failures:
            failure = _first(failures)
        return self._failed(failure)


def _first(failures: BaseExceptionGroup[KtError]) -> KtError:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _refusal(failure: KtError) -> GatewayError:
    if isinstance(failure, GatewayError):
        return failure
    return GatewayError("reload_failed", f"the plan that ran runs on: {failure}")


def _shown(failure: KtError) -> str:
    if isinstance(failure, ConfigError):
        return failure.report.show()
    hint = f"\n  hint: {failure.hint}" if isinstance(failure, UsageError) else ""
    return f"error: {failure}{hint}"


def _diagnostics(failure: KtError) -> Iterator[dict[str, Any]]:
    if isinstance(failure, ConfigError):
        source = failure.report.source
        yield from (_diagnostic(source, found) for found in failure.report.errors)
    elif isinstance(failure, UsageError):
        yield {"message": failure.message, "hint": failure.hint}


def _diagnostic(source: Source, found: Diagnostic) -> dict[str, Any]:
    line, column = source.position(found.span.start)
    return {
        "code": found.code.number,
        "name": found.name,
        "message": found.message,
        "hint": found.hint,
        "line": line,
        "column": column,
    }

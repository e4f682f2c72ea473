"""Resolve when a streamed answer goes on, and how long it may take.

In: the gateway's settings and the steps. Out: the plan's values, each with its origin. Never: text
that goes on before it is judged; where time and safety disagree the file's author is told.
"""

from kt.compiler.fields import Duration, Size
from kt.compiler.gateway_sections import Gateway
from kt.diagnostics import Report
from kt.plan import Count, Limit, Scan, Stage, Step, Streaming, Transport
from kt.policy import Phase


def resolve_streaming(gateway: Gateway, stages: tuple[Stage, ...], report: Report) -> Streaming:
    """What acts of `gateway.streaming`; the rest is reported."""
    written = gateway.streaming
    if written.passthrough_chunked is False:
        _note_unused(gateway, report)
        return Streaming()
    gathered, duration = written.chunk_buffer, written.max_duration
    place = report.source.place
    return Streaming(
        gathered=None if gathered is None else Count(gathered.value, origin=place(gathered.span)),
        flush=_flush(gateway, stages, report),
        duration=None if duration is None else Limit(duration.value, origin=place(duration.span)),
    )


def _note_unused(gateway: Gateway, report: Report) -> None:
    written = gateway.streaming
    hint = "the answer is sent whole: remove it, or 'passthrough_chunked: false'"
    for word in ("chunk_buffer", "flush_interval", "max_duration"):
        given: Size | Duration | None = getattr(written, word)
        if given is not None:
            report.add("unused_block", given.span, word=word, hint=hint)


def _flush(gateway: Gateway, stages: tuple[Stage, ...], report: Report) -> Limit | None:
    written = gateway.streaming.flush_interval
    if written is None:
        return None
    if gateway.upstream.transport is Transport.HTTPX:
        hint = "it needs transport: kt"
        report.add("not_enforced", written.span, word="flush_interval", hint=hint)
        return None
    holding = [step.name for stage in stages for step in stage.steps if _holds(step)]
    if holding:
        hint = "text that a policy may still object to waits until it is judged"
        report.add("flush_yields", written.span, word=_listed(holding), hint=hint)
    return Limit(written.value, origin=report.source.place(written.span))


def _holds(step: Step) -> bool:
    acts = step.facts.can_block or step.facts.edits
    return acts and step.phase in (Phase.OUTPUT, Phase.TOOL) and isinstance(step.body, Scan)


def _listed(names: list[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in names[:3])
    return quoted if len(names) <= 3 else f"{quoted} and others"

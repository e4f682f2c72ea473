"""`kt mock`: a provider that is made for tests, on a port of this machine."""

import signal
from functools import partial

import click
import trio

from kt.cli.address import address, duration
from kt.errors import UsageError
from kt.testing.behavior import FAULTS, MockSettings, UnknownBehavior, check_fault
from kt.testing.serving import running_mock

INTERRUPTED = 130


def known_fault(text: str) -> str:
    """`NAME` or `NAME=VALUE`, a row of FAULTS and a value that it takes."""
    fault, _, value = text.partition("=")
    try:
        check_fault(fault, value)
    except UnknownBehavior as error:
        raise click.BadParameter(str(error)) from error
    return text


FAULT_LIST = "\b\nFaults:\n" + "\n".join(f"  {name}: {what}" for name, what in FAULTS.items())


@click.group()
def mock() -> None:
    """Run a provider that is made for tests."""


@mock.command(epilog=FAULT_LIST)
@click.option(
    "--listen", type=address, metavar="HOST:PORT", default="127.0.0.1:9001", show_default=True
)
@click.option(
    "--delay", type=duration, metavar="DURATION", default="0ms", help="Wait before each answer."
)
@click.option("--chunks", type=click.IntRange(1), default=4, help="Events per streamed answer.")
@click.option(
    "--chunk-delay", type=duration, metavar="DURATION", default="0ms", help="Wait between events."
)
@click.option("--chunk-bytes", type=click.IntRange(1), help="Send streams in such pieces.")
@click.option("--reply", help="Answer this instead of the last user message.")
@click.option("--fail-rate", type=click.FloatRange(0, 1), default=0.0, help="Share of 500s.")
@click.option("--seed", type=int, default=0, help="Chooses which requests fail.")
@click.option("--status", type=click.IntRange(400, 599), help="Answer with this error.")
@click.option(
    "--fault", type=known_fault, metavar="NAME[=VALUE]", help="Misbehave; the list is below."
)
def run(
    listen: tuple[str, int],
    delay: float,
    chunks: int,
    chunk_delay: float,
    chunk_bytes: int | None,
    reply: str | None,
    fail_rate: float,
    seed: int,
    status: int | None,
    fault: str | None,
) -> int:
    """Serve until a signal comes."""
    if status is not None and fault is not None:
        raise UsageError("--status is a fault, and there is --fault already", "give one of them")
    settings = MockSettings(
        reply=reply,
        fault=fault if status is None else f"status={status}",
        fail_rate=fail_rate,
        seed=seed,
        delay=delay,
        chunks=chunks,
        chunk_delay=chunk_delay,
        chunk_bytes=chunk_bytes,
        keep=0,
    )
    received = trio.run(partial(serve_until_signal, settings, *listen))
    return INTERRUPTED if received == signal.SIGINT else 0


async def serve_until_signal(settings: MockSettings, host: str, port: int) -> int:
    """Serve a mock provider and say where; the signal that ends it is the result."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with running_mock(
            settings, partial(click.echo, err=True), host=host, port=port
        ) as it:
            click.echo(f"mock provider on {it.url}")
            async for number in signals:
                return number
    raise AssertionError("the signals ended")

"""HOST:PORT and durations as arguments of commands."""

import click

from kt.units import parse_duration


def duration(text: str) -> float:
    """Seconds of `20ms` or `5s`, spelled as in a configuration."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def address(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:9001`, `[::1]:9001` or `:9001`, which is this machine alone."""
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit() and int(port[:6]) < 2**16):
        raise click.BadParameter("expected HOST:PORT, a port being 0 to 65535")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)

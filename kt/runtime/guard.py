"""Keep a bug in one client's request away from all others.

In: something to run. Out: it ran, or what it raised was logged. Never: swallows a cancellation or
the user's interrupt, logs an exception's message (it may quote what a client wrote).
"""

import traceback
from collections.abc import Awaitable, Callable

from kt.errors import HouseBug

Log = Callable[[str], None]


async def guarded(run: Callable[[], Awaitable[None]], log: Log) -> None:
    """Run something of one client: what it raises is logged and ends there."""
    try:
        await run()
    except (Exception, HouseBug) as error:
        log(describe(error))
    except BaseExceptionGroup as group:
        bugs, others = group.split((Exception, HouseBug))
        if bugs is not None:
            log(describe(bugs))
        if others is not None:
            raise others from None


def describe(error: BaseException) -> str:
    """One line that says what struck where."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
    return f"error: a connection met {type(error).__name__} at {place}"

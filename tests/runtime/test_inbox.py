"""The body in order, then the end; and nothing that waits for itself."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from kt.runtime.inbox import PIECES, Inbox, Message

GONE: Message = {"type": "http.disconnect"}


def piece(number: int) -> Message:
    """A part of a body."""
    return {"type": "http.request", "body": str(number).encode(), "more_body": True}


def test_pieces_come_in_order_then_the_end_for_ever() -> None:
    async def main() -> None:
        inbox = Inbox()
        for number in range(3):
            await inbox.put(piece(number))
        await inbox.put(GONE)
        heard = [await inbox.receive() for _ in range(5)]
        assert heard == [piece(0), piece(1), piece(2), GONE, GONE]

    trio.run(main)


def test_a_full_inbox_waits_for_the_app_but_the_end_does_not() -> None:
    async def main() -> None:
        inbox = Inbox()
        for number in range(PIECES):
            await inbox.put(piece(number))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inbox.put, piece(PIECES))
            await wait_all_tasks_blocked()
            assert len(nursery.child_tasks) == 1
            await inbox.put(GONE)
        heard = [await inbox.receive() for _ in range(PIECES + 1)]
        assert heard[-1] == GONE

    trio.run(main)


@pytest.mark.parametrize("waits", [True, False])
def test_what_comes_after_the_app_ended_is_dropped(waits: bool) -> None:
    async def main() -> None:
        inbox = Inbox()
        async with trio.open_nursery() as nursery:
            if waits:
                for number in range(PIECES + 1):
                    nursery.start_soon(inbox.put, piece(number))
                await wait_all_tasks_blocked()
            inbox.close()
        await inbox.put(piece(0))

    trio.run(main)

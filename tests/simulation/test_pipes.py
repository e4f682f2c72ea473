"""Connections in memory."""

from functools import partial
from random import Random

import pytest
import trio

from kt.simulation.pipes import close, connection, reset, until_closed
from tests.support.gateways import run_in_virtual_time

chance = partial(Random, 1)


@pytest.mark.parametrize("room", [1, 7, 2**16])
def test_what_is_sent_arrives_in_pieces(room: int) -> None:
    async def main() -> None:
        ours, theirs = connection(chance(), room)
        data, pieces = bytes(range(250)) * 4, []

        async def send() -> None:
            await ours.send_all(data)
            ours.send_stream.close()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            while piece := await theirs.receive_some(100):
                pieces.append(bytes(piece))
        assert b"".join(pieces) == data
        assert len({len(piece) for piece in pieces}) > 1 or room == 1

    run_in_virtual_time(main)


def test_who_sends_waits_for_room_and_is_told_of_the_close() -> None:
    async def main() -> None:
        ours, theirs = connection(chance(), 10)
        with trio.move_on_after(5) as scope:
            await ours.send_all(b"x" * 11)
        assert scope.cancelled_caught
        async with trio.open_nursery() as nursery:
            nursery.start_soon(until_closed, ours)
            close(theirs)
        with pytest.raises(trio.BrokenResourceError):
            await ours.send_all(b"x")

    run_in_virtual_time(main)


def test_a_close_of_ones_own_end_wakes_its_reader() -> None:
    async def main() -> None:
        ours, _ = connection(chance(), 10)

        async def read() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await ours.receive_some(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await trio.testing.wait_all_tasks_blocked()
            close(ours)

    run_in_virtual_time(main)


def test_a_reset_loses_what_is_on_its_way() -> None:
    async def main() -> None:
        ours, theirs = connection(chance(), 10)
        await ours.send_all(b"x")
        reset(ours)
        with pytest.raises(trio.BrokenResourceError):
            await theirs.receive_some(1)
        with pytest.raises(trio.BrokenResourceError):
            await theirs.send_all(b"x")

    run_in_virtual_time(main)

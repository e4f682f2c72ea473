"""The mock on a real port."""

import json

import pytest
from trio.testing import trio_test

from kt.testing.behavior import MockSettings
from kt.testing.mock_provider import Ended
from kt.testing.serving import running_mock
from tests.support.sockets import open_client, request_bytes


def no_log(line: str) -> None:
    """Where nothing may be logged."""
    raise AssertionError(line)


@pytest.mark.slow
@trio_test
async def test_a_mock_answers_on_its_port_until_the_block_ends() -> None:
    async with running_mock(MockSettings(), no_log) as mock:
        port = int(mock.url.rpartition(":")[2])
        client = await open_client(port)
        assert (await client.request("GET", "/v1/models")).status == 200
    assert await client.receive_rest() == b""
    await client.leave()
    with pytest.raises(OSError, match="connect"):
        await open_client(port)


@pytest.mark.slow
@trio_test
async def test_a_cut_ends_the_connection_and_a_stall_is_ended_by_the_client() -> None:
    messages = [{"role": "user", "content": "some words"}]
    async with running_mock(MockSettings(), no_log) as mock:
        port = int(mock.url.rpartition(":")[2])
        for fault in ("cut", "stall"):
            request = {"model": f"mock:fault={fault}", "messages": messages, "stream": True}
            client = await open_client(port)
            body = json.dumps(request).encode()
            await client.send(request_bytes("POST", "/v1/chat/completions", body=body))
            if fault == "cut":
                assert not (await client.receive_response()).is_complete
            else:
                await client.receive_until(b"data: ")
            await client.leave()
    assert [received.ended for received in mock.provider.requests] == [
        Ended.CUT,
        Ended.CLIENT_LEFT,
    ]

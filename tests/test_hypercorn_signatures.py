"""hypercorn 0.18 as our edge on it uses it: private names, so a new version must show here."""

import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from hypercorn.config import Config
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import TrioSingleTask, WorkerContext
from hypercorn.utils import parse_socket_addr

SIGNATURES = {
    TCPServer.__init__: "self app config context state stream",
    TCPServer.run: "self",
    TCPServer.protocol_send: "self event",
    TCPServer._read_data: "self",
    TCPServer._idle_timeout: "self",
    TCPServer._initiate_server_close: "self",
    H11Protocol.__init__: (
        "self app config context task_group connection_state ssl client server send"
    ),
    H11Protocol.handle: "self event",
    H11Protocol._check_protocol: "self event",
    H11Protocol._create_stream: "self request",
    H11Protocol._send_error_response: "self status_code",
    H11Protocol._maybe_recycle: "self",
    HTTPStream.app_send: "self message",
    TaskGroup.__init__: "self",
    TaskGroup.spawn_app: "self app config scope send",
    TrioSingleTask.restart: "self task_group action",
    TrioSingleTask.stop: "self",
    WorkerContext.__init__: "self max_requests",
    RawData: "data address",
    Updated: "idle",
    Closed: "",
    parse_socket_addr: "family address",
}

SETTINGS = (
    "accesslog",
    "errorlog",
    "include_server_header",
    "include_date_header",
    "keep_alive_timeout",
    "keep_alive_max_requests",
    "h11_max_incomplete_size",
)

SOURCES: dict[str, tuple[Callable[..., Any], str]] = {
    # what we rely on -> the line that says so
    "the app's queue is made by spawn_app alone": (
        HTTPStream.handle,
        "self.app_put = await self.task_group.spawn_app(",
    ),
    "the end of a stream is put into that queue": (
        HTTPStream.handle,
        'await self.app_put({"type": "http.disconnect"})',
    ),
    "None ends an answer that the app left open": (
        HTTPStream.app_send,
        "await self._send_error_response(500)",
    ),
    "a request head marks the connection busy before its stream": (
        H11Protocol._handle_events,
        "await self.send(Updated(idle=False))",
    ),
    "an idle connection is closed when the drain begins": (
        TCPServer._idle_timeout,
        "await self.context.terminated.wait()",
    ),
    "no answer keeps the connection once the drain began": (
        H11Protocol._maybe_recycle,
        "not self.context.terminated.is_set()",
    ),
    "timers start in the nursery of the task group": (
        TrioSingleTask.restart,
        "task_group._nursery.start(",
    ),
}


def test_the_version_is_the_one_that_was_read() -> None:
    assert version("hypercorn").startswith("0.18.")


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda function: function.__qualname__)
def test_a_signature_is_unchanged(function: object) -> None:
    assert callable(function)
    assert " ".join(inspect.signature(function).parameters) == SIGNATURES[function]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_exists(name: str) -> None:
    assert hasattr(Config, name)


@pytest.mark.parametrize("promise", SOURCES)
def test_a_promise_is_kept_in_the_source(promise: str) -> None:
    function, line = SOURCES[promise]
    assert line in inspect.getsource(function)


def test_the_context_says_when_the_drain_began() -> None:
    context = WorkerContext(None)
    assert context.max_requests is None
    assert not context.terminated.is_set()


def test_a_tcp_server_has_the_parts_that_we_replace_and_keep() -> None:
    assert {"idle_task", "send_lock", "stream", "state"} <= set(
        TCPServer.__init__.__code__.co_names
    )

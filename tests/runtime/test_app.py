"""Paths, headers and errors of the app, seen from its client (design sections 7 and 8)."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
import httpx
import orjson
import pytest
import trio

from kt import __version__
from kt.errors import REFUSALS, GatewayError, UsageError
from kt.exchange import Segment
from kt.plan import Plan, Record
from kt.policy import Action, Phase, Verdict
from kt.runtime.app import App
from kt.runtime.connecting import Network
from kt.runtime.engine import BoundStep
from kt.runtime.gateway import GatewayOptions, built
from kt.runtime.reload import ReloadReport
from tests.support.asgi import Response, asgi_request, ask
from tests.support.gateways import chat, chat_body, gateway, run_in_virtual_time
from tests.support.plans import plan, record_step, scan_step, target
from tests.support.upstreams import FakeProvider, completion, json_answer

PATH = "/v1/chat/completions"
USUAL = {
    "x-request-id",
    "traceparent",
    "x-keeptrusts-verdict",
    "x-keeptrusts-plan",
    "x-keeptrusts-cache",
}
SECRET = "hunter2-hunter2"


def kind_provider() -> FakeProvider:
    """A provider that answers everybody."""
    return FakeProvider(lambda _: json_answer(completion("hi")))


def with_app(
    test: Callable[[App], Awaitable[None]],
    the_plan: Plan | None = None,
    provider: FakeProvider | None = None,
    audit_path: Path | None = None,
) -> None:
    """Run an async test with an app."""

    async def main() -> None:
        async with gateway(
            the_plan or plan(), provider or kind_provider(), audit_path=audit_path
        ) as app:
            await test(app)

    run_in_virtual_time(main)


def get(
    path: str, *headers: tuple[str, str], method: str = "GET", draining: bool = False
) -> Response:
    """What a path answers."""
    answers: list[Response] = []

    async def test(app: App) -> None:
        app.is_draining = draining
        answers.append(await ask(app, method, path, headers))

    with_app(
        test, plan(targets=(target("a", model="gpt-x"), target("b"), target("c", model="gpt-x")))
    )
    return answers[0]


def error(answer: Response) -> dict[str, object]:
    """The error of an answer."""
    found: dict[str, object] = orjson.loads(answer.body)["error"]
    return found


def fail_with(raised: BaseException) -> Callable[[App], App]:
    """Let the input phase of an app raise."""

    def fail(segments: tuple[Segment, ...], is_over: Callable[[], bool]) -> Verdict:
        raise raised

    def planted(app: App) -> App:
        (first,), *rest = app.endpoints.input
        app.endpoints = attrs.evolve(app.endpoints, input=((BoundStep(first.step, fail),), *rest))
        return app

    return planted


# ---- Refusals


class Refusing:
    """A provider whose connection code ends every request in one code."""

    def __init__(self, refusal: GatewayError) -> None:
        self.refusal = refusal

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer with an error of ours, wherever it came from."""
        raise self.refusal


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_a_refusal_is_answered_as_its_row_says(code: str) -> None:
    refusal, row = GatewayError(code, "no", policy="p"), REFUSALS[code]

    async def test(app: App) -> None:
        answer = await chat(app, "hello")
        assert answer.status == row.status
        assert error(answer) == {
            "message": "no",
            "type": row.type,
            "param": None,
            "code": code,
            "policy": "p",
        }
        retry = None if row.should_retry is None else str(row.should_retry).lower()
        assert answer.headers.get("x-should-retry") == retry
        assert answer.headers.get("retry-after") == ("1" if row.retry_after else None)
        assert answer.headers.get("retry-after-ms") == ("1000" if row.retry_after else None)
        assert answer.headers["content-type"] == "application/json"
        assert set(answer.headers) >= USUAL
        assert answer.is_complete

    with_app(test, provider=FakeProvider(Refusing(refusal)))


def test_an_error_without_a_policy_has_the_four_keys_of_the_api() -> None:
    assert list(error(get("/nothing"))) == ["message", "type", "param", "code"]


@pytest.mark.parametrize(
    ("action", "code"),
    [(Action.BLOCK, "input_blocked"), (Action.ESCALATE, "escalation_required")],
)
def test_a_policy_that_stops_a_request_is_named_and_nothing_is_sent(
    action: Action, code: str
) -> None:
    provider = kind_provider()

    async def test(app: App) -> None:
        answer = await chat(app, f"the secret is {SECRET}")
        assert (answer.status, error(answer)["code"]) == (409, code)
        assert error(answer)["policy"] == "guard"
        assert answer.headers["x-should-retry"] == "false"
        assert answer.headers["x-keeptrusts-verdict"] == action.value
        assert SECRET.encode() not in answer.body
        assert provider.asked == []

    with_app(test, plan(scan_step("guard", "hunter2", action=action, phase=Phase.INPUT)), provider)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b'"\xff"', 400, "invalid_json"),
        (b'\xef\xbb\xbf{"model":"m"}', 400, "ambiguous_json"),
        (b'{"model":"m","Model":"n","messages":[{}]}', 400, "ambiguous_json"),
        (b'{"model":"\\ud800","messages":[{}]}', 400, "ambiguous_json"),
        (b"[]", 422, "invalid_shape"),
        (b'{"model":"m","messages":[]}', 422, "invalid_shape"),
        (b'{"model":"m","messages":[{}],"stream":"yes"}', 422, "invalid_shape"),
        (b" " * 1001, 413, "body_too_large"),
    ],
)
def test_a_body_that_cannot_be_judged_is_refused(body: bytes, status: int, code: str) -> None:
    provider = kind_provider()

    async def test(app: App) -> None:
        answer = await ask(app, "POST", PATH, body=body)
        assert (answer.status, error(answer)["code"]) == (status, code)
        assert answer.headers["x-should-retry"] == "false"
        assert provider.asked == []
        assert app.endpoints.gate.running == 0

    with_app(test, plan(request_body=1000), provider)


def test_a_body_with_an_encoding_is_refused() -> None:
    async def test(app: App) -> None:
        answer = await ask(app, "POST", PATH, [("Content-Encoding", "gzip")], chat_body("hello"))
        assert (answer.status, error(answer)["code"]) == (415, "content_encoding")

    with_app(test)


def test_a_draining_gateway_takes_no_new_chats() -> None:
    async def test(app: App) -> None:
        app.is_draining = True
        answer = await chat(app, "hello")
        assert (answer.status, error(answer)["code"]) == (503, "draining")
        assert answer.headers["retry-after"] == "1"

    with_app(test)


# ---- Headers of every answer


def test_every_answer_carries_the_headers_of_the_gateway() -> None:
    for answer in (get("/health"), get("/nothing"), get("/metrics"), get(PATH)):
        assert set(answer.headers) >= USUAL
        assert answer.headers["x-keeptrusts-verdict"] == "allow"
        assert answer.headers["x-keeptrusts-cache"] == "bypass"
        assert len(answer.headers["x-keeptrusts-plan"]) == 64


def test_a_valid_request_id_and_trace_are_returned_and_sent_upstream() -> None:
    provider = kind_provider()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    async def test(app: App) -> None:
        answer = await chat(app, "hello", {"X-Request-Id": "my.id:1", "Traceparent": trace})
        assert answer.headers["x-request-id"] == "my.id:1"
        assert answer.headers["traceparent"] == trace
        assert provider.asked[0].headers["x-request-id"] == "my.id:1"
        assert provider.asked[0].headers["traceparent"] == trace

    with_app(test, provider=provider)


@pytest.mark.parametrize("given", ["", "has space", "x" * 129, "new\nline", "<script>", "é"])
def test_a_malformed_request_id_is_replaced(given: str) -> None:
    async def test(app: App) -> None:
        answer = await chat(app, "hello", {"x-request-id": given})
        assert answer.headers["x-request-id"].startswith("req_")

    with_app(test)


def test_the_timing_names_every_part_that_is_over() -> None:
    async def test(app: App) -> None:
        answer = await chat(app, "hello")
        parts = [part.partition(";dur=") for part in answer.headers["server-timing"].split(", ")]
        names = ["queue", "input", "route", "pool", "connect", "upstream", "output"]
        assert [name for name, _, _ in parts] == names
        assert [float(number) for _, _, number in parts][5] == pytest.approx(250)

    provider = kind_provider()
    provider.head_seconds = 0.25
    with_app(test, plan(scan_step("p", "x")), provider)


def test_the_timing_can_be_switched_off() -> None:
    async def test(app: App) -> None:
        assert "server-timing" not in (await chat(app, "hello")).headers

    with_app(test, attrs.evolve(plan(), server_timing=False))


def test_a_redacted_request_says_so_in_its_verdict() -> None:
    async def test(app: App) -> None:
        answer = await chat(app, "secret")
        assert (answer.status, answer.headers["x-keeptrusts-verdict"]) == (200, "redact")

    with_app(test, plan(scan_step("p", "secret", phase=Phase.INPUT)))


# ---- Pages


def test_health_tells_status_version_and_uptime() -> None:
    answers: list[Response] = []

    async def test(app: App) -> None:
        await trio.sleep(7.5)
        answers.append(await ask(app, "GET", "/health"))

    with_app(test)
    assert orjson.loads(answers[0].body) == {
        "status": "ok",
        "version": __version__,
        "uptime_seconds": 7,
    }


def test_being_alive_and_being_ready_are_two_pages() -> None:
    assert (get("/healthz").status, get("/readyz").status) == (200, 200)
    assert (get("/healthz", draining=True).status, get("/readyz", draining=True).status) == (
        200,
        503,
    )


def test_the_models_are_those_of_the_targets_without_doubles() -> None:
    page = orjson.loads(get("/v1/models").body)
    assert page["object"] == "list"
    assert [model["id"] for model in page["data"]] == ["gpt-x", "b"]
    assert {model["object"] for model in page["data"]} == {"model"}


@pytest.mark.parametrize("path", ["/v1/moderations", "/v1/chat/completions/", "/", "/v1"])
def test_an_unknown_path_is_not_found(path: str) -> None:
    assert (get(path).status, error(get(path))["code"]) == (404, "unknown_path")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", PATH), ("POST", "/health"), ("DELETE", "/v1/models"), ("PUT", "/keeptrusts/config")],
)
def test_another_method_is_not_allowed(method: str, path: str) -> None:
    answer = get(path, method=method)
    assert (answer.status, error(answer)["code"]) == (405, "method_not_allowed")


def test_the_metrics_have_the_names_of_the_design() -> None:
    pages: list[Response] = []

    async def test(app: App) -> None:
        await chat(app, "secret")
        pages.append(await ask(app, "GET", "/metrics"))

    with_app(test, plan(scan_step("p", "secret", phase=Phase.INPUT)))
    assert pages[0].headers["content-type"].startswith("text/plain; version=0.0.4")
    text = pages[0].body.decode()
    for line in (
        'keeptrusts_requests_total{provider="openai",status="200",verdict="redact"} 1.0',
        'keeptrusts_request_duration_seconds_count{provider="openai"} 1.0',
        'keeptrusts_policy_evaluations_total{phase="input",policy="p",verdict="redact"} 1.0',
        'keeptrusts_policy_duration_seconds_count{phase="input",policy="p"} 1.0',
        'keeptrusts_gateway_overhead_seconds_count{phase="input"} 1.0',
        "keeptrusts_inflight_requests 0.0",
        "keeptrusts_queue_depth 0.0",
        "keeptrusts_queue_wait_seconds_count 1.0",
        "keeptrusts_events_dropped_total 0.0",
        "keeptrusts_stream_held_bytes_count 0.0",
    ):
        assert f"\n{line}\n" in text
    assert f'keeptrusts_plan_info{{digest="{pages[0].headers["x-keeptrusts-plan"]}"' in text


def test_the_config_page_shows_the_plan_that_runs(tmp_path: Path) -> None:
    async def test(app: App) -> None:
        page = orjson.loads((await ask(app, "GET", "/keeptrusts/config")).body)
        assert page["pack"] == {"name": "test", "version": "1.0.0"}
        assert page["policies"]["chain"] == ["first", "second", "audit-logger"]
        assert page["plan"]["digest"] == app.plan.digest

    second = scan_step("second", "x", phase=Phase.INPUT, order=1)
    steps = (second, scan_step("first", "y"), record_step())
    with_app(test, plan(*steps), audit_path=tmp_path / "audit.jsonl")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer wrong", "topsecret", "Bearer topsecret\xe9"]
)
def test_the_config_page_needs_the_admin_token_where_there_is_one(header: str | None) -> None:
    async def test(app: App) -> None:
        app.admin_token = "topsecret"
        headers = [] if header is None else [("authorization", header)]
        refused = await ask(app, "GET", "/keeptrusts/config", headers)
        assert (refused.status, error(refused)["code"]) == (401, "admin_token")
        assert b"topsecret" not in refused.body
        right = [("authorization", "Bearer topsecret")]
        assert (await ask(app, "GET", "/keeptrusts/config", right)).status == 200

    with_app(test)


RELOAD = "/keeptrusts/config/reload"


def test_a_reload_is_asked_for_by_who_has_the_token_and_answers_what_came_of_it() -> None:
    reports = [
        ReloadReport(before="a", after="b"),
        ReloadReport(before="b", after="b", failure=UsageError("no", "do")),
    ]

    async def reload() -> ReloadReport:
        return reports.pop(0)

    async def test(app: App) -> None:
        app.reload, app.admin_token = reload, "topsecret"
        right = [("authorization", "Bearer topsecret")]
        assert (await ask(app, "POST", RELOAD)).status == 401
        assert (await ask(app, "GET", RELOAD, right)).status == 405
        assert len(reports) == 2
        done = await ask(app, "POST", RELOAD, right)
        assert (done.status, orjson.loads(done.body)["plan"]) == (
            200,
            {"before": "a", "after": "b"},
        )
        refused = await ask(app, "POST", RELOAD, right)
        assert (refused.status, error(refused)["code"]) == (422, "reload_failed")

    with_app(test)


def test_an_app_that_nothing_can_replace_has_no_reload() -> None:
    assert get(RELOAD, method="POST").status == 404


# ---- Bugs and records


def test_a_bug_in_one_request_is_its_500_and_the_app_lives() -> None:
    lines: list[str] = []

    def break_down(request: httpx.Request) -> httpx.Response:
        if len(provider.asked) == 1:
            raise ValueError(SECRET)
        return json_answer(completion("hi"))

    provider = FakeProvider(break_down)

    async def test(app: App) -> None:
        app.log = lines.append
        answer = await chat(app, SECRET)
        assert (answer.status, error(answer)["code"]) == (500, "internal_error")
        assert answer.headers["x-should-retry"] == "false"
        assert SECRET.encode() not in answer.body
        assert (await chat(app, "again")).status == 200
        assert app.endpoints.gate.running == 0

    with_app(test, provider=provider)
    assert len(lines) == 1
    assert "ValueError" in lines[0]
    assert SECRET not in lines[0]


def test_a_check_with_a_bug_is_trouble_of_its_step() -> None:
    async def test(app: App) -> None:
        answer = await chat(fail_with(ValueError(SECRET))(app), SECRET)
        assert (answer.status, error(answer)["code"]) == (503, "policy_unavailable")
        assert error(answer)["policy"] == "p"
        assert answer.headers["x-keeptrusts-verdict"] == "failed"
        assert SECRET.encode() not in answer.body

    with_app(test, plan(scan_step("p", "x", phase=Phase.INPUT)))


def test_each_chat_leaves_one_event_without_text_or_keys(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"

    async def test(app: App) -> None:
        bearer = {"authorization": f"Bearer {SECRET}", "x-user-id": "ann", "x-org-id": "ops"}
        await chat(app, f"mail {SECRET}", bearer)
        await chat(app, "stop this", bearer)
        await ask(app, "POST", PATH, body=SECRET.encode())
        await ask(app, "GET", "/health")

    steps = (
        scan_step("mail", r"hunter\d-hunter\d", phase=Phase.INPUT, order=1),
        scan_step("stop", "stop", action=Action.BLOCK, phase=Phase.INPUT),
        record_step(),
    )
    with_app(test, plan(*steps), audit_path=path)
    text = path.read_text()
    events = [json.loads(line) for line in text.splitlines()]
    assert SECRET not in text
    assert [
        (one["status"], one["verdict"], one["reason_code"], one["policy"]) for one in events
    ] == [
        (200, "redact", None, None),
        (409, "block", "input_blocked", "stop"),
        (400, "allow", "invalid_json", None),
    ]
    assert (events[0]["user"], events[0]["team"]) == ("ann", "ops")
    assert events[0]["policies"][0] == {
        "name": "mail",
        "phase": "input",
        "verdict": "redact",
        "latency_ms": 0.0,
        "rule": "mail.0",
        "spans": [len(SECRET)],
    }
    assert (events[0]["input_tokens"], events[0]["output_tokens"]) == (3, 5)


def test_only_requests_with_a_verdict_are_recorded_where_the_config_says_so(
    tmp_path: Path,
) -> None:
    path = tmp_path / "audit.jsonl"
    quiet = attrs.evolve(record_step(), body=Record(log_all_access=False))

    async def test(app: App) -> None:
        await chat(app, "hello")
        await chat(app, "secret")

    with_app(test, plan(scan_step("p", "secret", phase=Phase.INPUT), quiet), audit_path=path)
    (line,) = path.read_text().splitlines()
    assert json.loads(line)["verdict"] == "redact"


def test_a_secret_of_a_target_goes_to_the_provider_and_nowhere_else(tmp_path: Path) -> None:
    provider = kind_provider()
    options = GatewayOptions(
        host="127.0.0.1",
        port=0,
        log=lambda _: None,
        audit_path=tmp_path / "audit.jsonl",
        gateway_id="test",
        secrets={"openai": SECRET},
        network=Network(transport=provider),
    )

    async def main() -> None:
        async with built(plan(record_step()), options) as app:
            answer = await chat(app, "hello", {"authorization": "Bearer client"})
            config = await ask(app, "GET", "/keeptrusts/config")
            metrics = await ask(app, "GET", "/metrics")
            for seen in (answer.body, config.body, metrics.body, repr(app).encode()):
                assert SECRET.encode() not in seen
            assert SECRET not in repr(options)

    run_in_virtual_time(main)
    assert provider.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in options.audit_path.read_text()


def test_the_lifespan_of_a_server_is_acknowledged() -> None:
    sent: list[str] = []
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> dict[str, str]:
        return messages.pop(0)

    async def send(message: dict[str, str]) -> None:
        sent.append(message["type"])

    async def test(app: App) -> None:
        await app({"type": "lifespan"}, receive, send)

    with_app(test)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_other_protocols_are_left_unanswered() -> None:
    async def test(app: App) -> None:
        async with asgi_request(_as_websocket(app), "GET", "/") as exchange:
            with pytest.raises(trio.EndOfChannel):
                await exchange.receive_message()

    with_app(test)


def _as_websocket(app: App) -> App:
    """The app, told that every request is a websocket."""

    async def told(scope: object, receive: object, send: object) -> None:
        assert isinstance(scope, dict)
        await app({**scope, "type": "websocket"}, receive, send)  # type: ignore[arg-type]

    return told  # type: ignore[return-value]

"""What is measured: one function per question, which gives rows.

In: a `Bench` with the provider's port and how long everything may take. Out: rows for
`bench/tables.py`: what was measured, the round, the load average of that moment, numbers.
Rounds take turns: every round measures everything once before the next one starts.
"""

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, perf_counter, sleep
from types import MappingProxyType

import attrs

from bench.compile import fastest
from bench.processes import CACHE, Load, Running, body_of
from bench.sides import (
    BASE,
    FIVE,
    LAYERS,
    PEERS,
    POLICIES,
    PROFILER,
    RUN,
    WORKERS,
    Maker,
    Missing,
    config,
    our_command,
    python_tool,
    twenty,
)
from tests.support.large_configs import SHAPES

Row = dict[str, object]
OPEN = 100.0
"""Requests per second of the open loop."""
STREAMS = 20.0
STREAM_CONNECTIONS = 32
STREAM_PATIENCE = 20.0
"""Seconds in which the streams that are to be idle must have begun, all of them."""
BODIES = (1, 16, 128, 1024)
"""KiB."""
CONNECTIONS = (1, 8, 64, 512)
COMPILED = (1, 5, 20, 100, 500)
MEMORY_PARTS = 5


@attrs.define
class Bench:
    """The provider, the durations, and what could not be measured."""

    mock: int
    rounds: int = 5
    seconds: float = 3.0
    warm_up: int = 20_000
    warm_up_seconds: float = 60.0
    idle_streams: int = 1000
    requests: int = 100_000
    """Over which memory must stay flat."""
    skipped: dict[str, str] = attrs.field(factory=dict)

    @contextmanager
    def running(self, makers: Mapping[str, Maker], warm: bool = True) -> Iterator[list[Running]]:
        """All of these at once, warm; who cannot run is said loudly and left out."""
        with ExitStack() as stack:
            ready = []
            for name, make in makers.items():
                try:
                    one = Running(make(self.mock))
                except (Missing, RuntimeError) as why:
                    self.skip(name, str(why))
                    continue
                stack.callback(one.stop)
                if warm:
                    one.load(Load(seconds=self.warm_up_seconds, requests=self.warm_up))
                ready.append(one)
            yield ready

    def skip(self, name: str, why: str) -> None:
        """Note and say what is not measured."""
        self.skipped[name] = why.splitlines()[0]
        sys.stderr.write(f"!!!! SKIPPED {name}: {why}\n")

    def turns(self, sides: list[Running]) -> Iterator[tuple[int, Running]]:
        """Every side once per round."""
        for number in range(self.rounds):
            for one in sides:
                yield number, one


def row(what: str, number: int, seen: Mapping[str, float]) -> Row:
    """Numbers of one moment."""
    kept = {name: round(value, 3) for name, value in seen.items()}
    return {"what": what, "round": number, "load": round(os.getloadavg()[0], 2), **kept}


def throughput(bench: Bench, makers: Mapping[str, Maker]) -> Iterator[Row]:
    """As fast as eight connections can ask."""
    with bench.running(makers) as sides:
        for number, one in bench.turns(sides):
            yield row(one.side.name, number, one.load(Load(seconds=bench.seconds)))


def peers(bench: Bench) -> Iterator[Row]:
    """Beside other gateways."""
    yield from throughput(bench, PEERS)


def latency(bench: Bench) -> Iterator[Row]:
    """What a request takes when a hundred per second come, whoever is still busy."""
    load = Load(connections=32, rate=OPEN, seconds=bench.seconds)
    with bench.running(PEERS) as sides:
        for number, one in bench.turns(sides):
            yield row(one.side.name, number, one.load(load))


def streams(bench: Bench) -> Iterator[Row]:
    """Until the first byte of a stream, and what a stream costs."""
    load = Load(STREAM_CONNECTIONS, STREAMS, bench.seconds)
    body = body_of(stream=True)
    with bench.running(PEERS) as sides:
        for number, one in bench.turns(sides):
            yield row(one.side.name, number, one.load(load, body))


def idle(bench: Bench) -> Iterator[Row]:
    """What a stream holds in memory while nothing comes."""
    for name, make in PEERS.items():
        with bench.running({name: make}) as sides:
            for one in sides:
                if one.side.command:
                    yield row(name, 0, held(one, bench.idle_streams))


def held(one: Running, count: int) -> dict[str, float]:
    """Open so many streams, and see what each one of them takes."""
    before = one.memory_kib()
    request = one.request(body_of(model="idle", stream=True))
    with ExitStack() as stack:
        clients = [opened(one.port, request, stack) for _ in range(count)]
        end = monotonic() + STREAM_PATIENCE
        begun = sum(has_begun(client, end) for client in clients)
        sleep(1)  # what is still being written is not idle
        busy, after = one.cpu_seconds(), one.memory_kib()
        sleep(2)
        idle_cpu = (one.cpu_seconds() - busy) / 2 * 100
    return {"begun": begun, "kib_each": (after - before) / count, "cpu_percent": idle_cpu}


def opened(port: int, request: bytes, stack: ExitStack) -> socket.socket:
    """A client that has asked."""
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
    client.sendall(request)
    return client


def has_begun(client: socket.socket, end: float) -> bool:
    """Whether the first event comes in time."""
    got = b""
    try:
        while b"data:" not in got:
            client.settimeout(max(0.001, end - monotonic()))
            piece = client.recv(65536)
            if not piece:
                return False
            got += piece
    except OSError:
        return False
    return True


def memory(bench: Bench) -> Iterator[Row]:
    """Whether memory grows with the number of requests."""
    with bench.running({BASE: PEERS[BASE]}) as sides:
        for one in sides:
            yield row("after the warm-up", 0, {"memory_mib": one.memory_kib() / 1024})
            for part in range(1, MEMORY_PARTS + 1):
                count = bench.requests // MEMORY_PARTS
                one.load(Load(requests=count, seconds=300))
                after = f"after {part * count} more"
                yield row(after, 0, {"memory_mib": one.memory_kib() / 1024})


def start(bench: Bench) -> Iterator[Row]:
    """From the command to the first answer, with and without compiled bytecode."""
    for number in range(bench.rounds):
        for name, make in PEERS.items():
            if name in bench.skipped or name == "direct":
                continue
            try:
                warm = started(make, bench.mock, {})
                with tempfile.TemporaryDirectory(dir=RUN) as empty:
                    cold = started(make, bench.mock, {"PYTHONPYCACHEPREFIX": empty})
            except (Missing, RuntimeError) as why:
                bench.skip(name, str(why))
                continue
            yield row(name, number, {"warm_s": warm, "cold_s": cold})


def started(make: Maker, mock: int, environment: dict[str, str]) -> float:
    """Seconds until the first answer."""
    one = Running(make(mock), environment)
    one.stop()
    return one.startup


def bodies(bench: Bench) -> Iterator[Row]:
    """By the size of the prompt."""
    with bench.running({BASE: PEERS[BASE]}) as sides:
        for number, one in bench.turns(sides):
            for size in BODIES:
                seen = one.load(Load(seconds=bench.seconds), body_of(size * 1024))
                yield row(f"{size} KiB", number, seen)


def policies(bench: Bench) -> Iterator[Row]:
    """By the number of policies."""
    yield from throughput(bench, POLICIES)


def connections(bench: Bench) -> Iterator[Row]:
    """By the number of clients that ask at once."""
    with bench.running({BASE: PEERS[BASE]}) as sides:
        for number, one in bench.turns(sides):
            for count in CONNECTIONS:
                seen = one.load(Load(connections=count, seconds=bench.seconds))
                yield row(f"{count} connections", number, seen)


def layers(bench: Bench) -> Iterator[Row]:
    """What each layer takes: the same gateway with one of them left out or exchanged."""
    yield from throughput(bench, LAYERS)


def timing(bench: Bench) -> Iterator[Row]:
    """The parts of a request's time, as `server-timing` says."""
    with bench.running({BASE: PEERS[BASE]}) as sides:
        for number, one in bench.turns(sides):
            for _ in range(20):
                _, headers = one.ask()
                for part in headers["server-timing"].split(", "):
                    name, _, spent = part.partition(";dur=")
                    yield row(name, number, {"us": float(spent) * 1000})


def workers(bench: Bench) -> Iterator[Row]:
    """By the number of processes."""
    told = subprocess.check_output([our_command(), "gateway", "run", "--help"], text=True)
    if "--workers" not in told:
        bench.skip("workers", "kt gateway run has no --workers yet")
        return
    yield from throughput(bench, WORKERS)


def compiling(bench: Bench) -> Iterator[Row]:
    """How long the compiler takes, by the number of policies, in this process."""
    fastest(SHAPES["policies"](1))  # what is built once per process is not what is measured
    for number in range(bench.rounds):
        for count in COMPILED:
            spent = fastest(SHAPES["policies"](count))
            yield row(f"{count} policies", number, {"ms": spent * 1000})


def validate(bench: Bench) -> Iterator[Row]:
    """`kt config validate` as a whole process, beside a Python that does nothing."""
    commands = {"python -c pass": [sys.executable, "-c", "pass"]}
    for name, text in (("no policies", ""), ("5 policies", FIVE), ("20 policies", twenty())):
        file = RUN / f"validate-{name}.yaml".replace(" ", "-")
        file.write_text(config(text, 1))
        commands[f"validate, {name}"] = [our_command(), "config", "validate", str(file)]
    for number in range(bench.rounds):
        for name, command in commands.items():
            yield row(name, number, whole_process(command))


def whole_process(command: list[str]) -> dict[str, float]:
    """Its time by the clock and on the processor."""
    used, began = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    took, after = perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return {"ms": took * 1000, "cpu_ms": spent * 1000}


def profile(bench: Bench) -> Iterator[Row]:
    """Which functions take the processor's time, of a gateway that is asked all the time."""
    try:
        spy = python_tool("profiler", PROFILER) / "bin" / "py-spy"
    except Missing as why:
        bench.skip("profile", str(why))
        return
    with bench.running({BASE: PEERS[BASE]}) as sides:
        for one in sides:
            yield from profiled(one, spy, bench)


def profiled(one: Running, spy: Path, bench: Bench) -> Iterator[Row]:
    """The functions with the largest parts of all samples, their own time alone."""
    file = RUN / "profile.txt"
    seconds = max(2, round(bench.seconds))
    told = ("--duration", str(seconds), "--rate", "500", "--format", "raw", "--output", str(file))
    watch = subprocess.Popen(
        [spy, "record", *told, "--nonblocking", "--pid", str(one.pids()[0])],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    one.load(Load(seconds=seconds + 1.5))
    if watch.wait(60) != 0:
        bench.skip("profile", "py-spy may not look into other processes here")
        return
    counts = Counter[str]()
    for line in file.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        counts[function(stack.rpartition(";")[2])] += int(count)
    total = sum(counts.values())
    for name, samples in counts.most_common(25):
        yield row(name, 0, {"percent": samples / total * 100})


def function(frame: str) -> str:
    """`name (file)` of a frame, without its line and the machine's directories."""
    name, _, place = frame.partition(" (")
    file = place.rpartition(":")[0] or place.rstrip(")")
    for mark in ("site-packages/", "lib/python3.11/"):
        file = file.rpartition(mark)[2]
    return f"{name} ({file})"


Scenario = Callable[[Bench], Iterator[Row]]
SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        one.__name__: one
        for one in (
            peers,
            latency,
            streams,
            idle,
            memory,
            start,
            bodies,
            policies,
            connections,
            layers,
            timing,
            workers,
            compiling,
            validate,
            profile,
        )
    }
)


def built() -> None:
    """Build the load generator where it is missing or older than its source."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("the load generator needs a C compiler: cc")
    RUN.mkdir(parents=True, exist_ok=True)
    source = Path(__file__).with_name("generator.c")
    out = CACHE / "generator"
    if not out.exists() or out.stat().st_mtime < source.stat().st_mtime:
        subprocess.run([compiler, "-O2", "-Wall", "-o", out, source, "-lm"], check=True)

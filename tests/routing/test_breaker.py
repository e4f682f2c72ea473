"""The circuit breaker against a reference that keeps its whole history."""

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from kt.routing.breaker import CircuitBreaker, Permit
from tests.support.routing import breaker


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    circuit = CircuitBreaker(breaker(failures=2, cooldown=10.0))
    for is_good in (False, True, False):
        permit = admitted(circuit, 0.0)
        if is_good:
            circuit.passed(permit)
        else:
            circuit.failed(permit, 0.0)
    assert circuit.state(0.0) == "closed"
    circuit.failed(admitted(circuit, 1.0), 1.0)
    assert (circuit.state(1.0), circuit.admit(10.9), circuit.retry_in(1.0)) == ("open", None, 10.0)


def test_after_the_cooldown_a_few_are_let_through_and_all_must_succeed() -> None:
    circuit = CircuitBreaker(breaker(failures=1, cooldown=10.0, probes=2))
    circuit.failed(admitted(circuit, 0.0), 0.0)
    first, second = admitted(circuit, 10.0), admitted(circuit, 10.0)
    assert (circuit.state(10.0), circuit.admit(10.0)) == ("half_open", None)
    circuit.passed(first)
    assert circuit.admit(10.0) is None
    circuit.passed(second)
    assert circuit.state(10.0) == "closed"


def test_a_probe_that_fails_opens_it_again() -> None:
    circuit = CircuitBreaker(breaker(failures=3, cooldown=10.0, probes=2))
    for _ in range(3):
        circuit.failed(admitted(circuit, 0.0), 0.0)
    first, second = admitted(circuit, 10.0), admitted(circuit, 10.0)
    circuit.failed(first, 11.0)
    circuit.passed(second)
    assert (circuit.state(12.0), circuit.retry_in(12.0)) == ("open", 9.0)


def test_a_cancelled_probe_gives_its_place_back() -> None:
    circuit = CircuitBreaker(breaker(failures=1, cooldown=10.0, probes=1))
    circuit.failed(admitted(circuit, 0.0), 0.0)
    circuit.dropped(admitted(circuit, 10.0))
    assert circuit.state(10.0) == "half_open"
    circuit.passed(admitted(circuit, 10.0))
    assert circuit.state(10.0) == "closed"


def test_what_began_before_the_circuit_opened_does_not_count_after() -> None:
    circuit = CircuitBreaker(breaker(failures=1, cooldown=10.0, probes=1))
    late, slow = admitted(circuit, 0.0), admitted(circuit, 0.0)
    circuit.failed(admitted(circuit, 0.0), 0.0)
    probe = admitted(circuit, 10.0)
    circuit.failed(late, 10.0)
    circuit.passed(slow)
    assert circuit.state(10.0) == "half_open"
    circuit.passed(probe)
    assert circuit.state(10.0) == "closed"


def admitted(circuit: CircuitBreaker, now: float) -> Permit:
    """Leave that must be given."""
    permit = circuit.admit(now)
    assert permit is not None
    return permit


@attrs.define
class Reference:
    """The textbook: a state, and what was seen since it began."""

    failures: int
    cooldown: float
    probes: int
    state: str = "closed"
    since: float = 0.0
    era: int = 0
    in_a_row: int = 0
    good: int = 0
    out: int = 0

    def at(self, now: float) -> None:
        """Let time pass."""
        if self.state == "open" and now >= self.since + self.cooldown:
            self.state = "waiting"

    def admit(self, now: float) -> tuple[int, bool] | None:
        """The era of an attempt and whether it is a probe; None where there is no leave."""
        self.at(now)
        if self.state == "open":
            return None
        if self.state == "waiting":
            self.change("half_open", now)
        if self.state == "half_open":
            if self.out + self.good >= self.probes:
                return None
            self.out += 1
        return self.era, self.state == "half_open"

    def change(self, state: str, now: float) -> None:
        """Begin a state."""
        self.state, self.since, self.era = state, now, self.era + 1
        self.in_a_row = self.good = self.out = 0

    def end(self, mark: tuple[int, bool], result: str, now: float) -> None:
        """An attempt ends."""
        era, is_probe = mark
        if era != self.era:
            return
        self.out -= is_probe
        if result == "failed":
            self.in_a_row += 1
            if is_probe or self.in_a_row >= self.failures:
                self.change("open", now)
        elif result == "passed":
            self.in_a_row = 0
            self.good += is_probe
            if is_probe and self.good >= self.probes:
                self.change("closed", now)

    @property
    def shown(self) -> str:
        """What others call its state."""
        return "half_open" if self.state == "waiting" else self.state


class BreakerAgainstReference(RuleBasedStateMachine):
    """Both see the same, and say the same."""

    attempts: Bundle[tuple[Permit, tuple[int, bool]]] = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.circuit = CircuitBreaker(breaker(failures=2, cooldown=10.0, probes=2))
        self.reference = Reference(failures=2, cooldown=10.0, probes=2)

    @rule(seconds=st.sampled_from([0.5, 5.0, 10.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @rule(target=attempts)
    def admit(self) -> tuple[Permit, tuple[int, bool]]:
        """Somebody asks for leave."""
        mark, permit = self.reference.admit(self.now), self.circuit.admit(self.now)
        assert (mark is None) == (permit is None)
        if permit is None or mark is None:
            return Permit(-1, is_probe=False), (-1, False)
        return permit, mark

    @rule(attempt=consumes(attempts), result=st.sampled_from(["passed", "failed", "dropped"]))
    def end(self, attempt: tuple[Permit, tuple[int, bool]], result: str) -> None:
        """An attempt ends."""
        permit, mark = attempt
        if result == "passed":
            self.circuit.passed(permit)
        elif result == "failed":
            self.circuit.failed(permit, self.now)
        else:
            self.circuit.dropped(permit)
        self.reference.end(mark, result, self.now)

    @invariant()
    def agree(self) -> None:
        """The states are the same."""
        self.reference.at(self.now)
        assert self.circuit.state(self.now) == self.reference.shown


BreakerAgainstReference.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestBreakerAgainstReference = BreakerAgainstReference.TestCase

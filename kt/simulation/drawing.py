"""From a seed to a schedule. The odds of everything that can go wrong are here."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from kt.plan import Edge
from kt.simulation.schedule import (
    LEAVING,
    Ask,
    Behavior,
    Dialing,
    Kind,
    Manner,
    Provided,
    Schedule,
    Text,
    Visit,
)
from kt.simulation.setups import SETUPS
from kt.testing.shapes import SHAPES

T = TypeVar("T")

LONG = "x" * 90
WORDS = ("all", "is", "well", "der Käse", "ends", "key-", "k", "@", "sesame", "ok\n", "“so”", LONG)
LETTERS = "bcdfghjklmnpqrstvwxz"
STREAMED = tuple(path for path, shape in SHAPES.items() if shape.events is not None)
PATHS = tuple(SHAPES)


def draw(seed: int) -> Schedule:
    """The schedule of a seed, the same for ever."""
    return _Dice(seed).schedule()


class _Dice:
    """Draws one schedule."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._chance = Random(f"schedule {seed}")  # noqa: S311 - it is to be repeated

    def schedule(self) -> Schedule:
        """Calm ones, too: what goes wrong must not be all there is."""
        self._trouble = self._pick((0.0, 0.3, 0.3, 0.7))
        setup = self._pick(tuple(SETUPS))
        is_crowded = not SETUPS[setup].serves_all and self._odds(0.6)
        crowd = self._pick((4, 5, 6) if is_crowded else (1, 1, 1, 2, 2, 4))
        visits = tuple(self._visit(number) for number in range(crowd))
        return Schedule(
            seed=self._seed,
            setup=setup,
            edge=Edge.HYPERCORN if self._odds(0.2) else Edge.LLHTTP,
            visits=visits,
            dialing=self._dialing(),
            drain=self._time() if self._is_trouble(0.3) else None,
            reload=self._time() if self._is_trouble(0.4) else None,
            slow_policy=self._pick((0.2, 1.5, 5.0)) if self._is_trouble(0.2) else 0.0,
            room=self._pick((2**16, 2**16, 2000, 300)),
        )

    def _visit(self, number: int) -> Visit:
        asks = tuple(self._ask(f"{number}.{at}") for at in range(self._pick((1, 1, 1, 2))))
        manner = self._pick(tuple(Manner)) if self._is_trouble(0.8) else Manner.STAYS
        if any(one.behavior is Behavior.NEVER_ENDING for ask in asks for one in ask.attempts):
            manner = Manner.LEAVES  # somebody has to end it
        is_leaving = manner in LEAVING or manner is Manner.STOPS_READING
        return Visit(
            at=self._pick((0.0, 0.0, 0.5, 2.0)),
            asks=asks,
            manner=manner,
            after=self._chance.randint(0, 3000) if is_leaving else 0,
            patience=self._time() if is_leaving else None,
            pipelines=self._odds(0.15),
        )

    def _ask(self, name: str) -> Ask:
        path = self._pick(PATHS if self._odds(0.3) else STREAMED)
        attempts = tuple(self._provided() for _ in range(self._pick((1, 1, 2, 3))))
        # What never ends says more than its text, and nobody could tell what half a secret is.
        is_plain = any(one.behavior is Behavior.NEVER_ENDING for one in attempts)
        return Ask(
            id=f"sim-{self._seed}-{name}",
            path=path,
            text=self._text(),
            says=Text(((Kind.PLAIN, self._pick(WORDS)),)) if is_plain else self._text(),
            stream=path in STREAMED and self._odds(0.7),
            user=self._pick((None, "ann", "bob")),
            attempts=attempts,
        )

    def _text(self) -> Text:
        kinds = self._chance.choices(
            (Kind.PLAIN, Kind.KEY, Kind.MAIL, Kind.STOP),
            (6, 2, 2, self._pick((0, 0, 1))),
            k=self._chance.randint(1, 8),
        )
        return Text(tuple((kind, text) for one in kinds for kind, text in self._part(one)))

    def _part(self, kind: Kind) -> tuple[tuple[Kind, str], ...]:
        word = "".join(self._chance.choices(LETTERS, k=self._chance.randint(6, 20)))
        number = self._chance.randint(100, 999)
        texts = {
            Kind.PLAIN: self._pick(WORDS),
            Kind.KEY: f"key-{word}",
            Kind.MAIL: f"{word}@example.com",
            Kind.STOP: f"sesame{number}",
        }
        # What stands between keeps neighbours from growing into each other.
        return ((kind, texts[kind]), (Kind.PLAIN, " "))

    def _provided(self) -> Provided:
        behavior = self._pick(tuple(Behavior)) if self._is_trouble(0.6) else Behavior.GOOD
        pauses = (1.0, 2.5) if behavior is Behavior.NEVER_ENDING else (0.0, 0.0, 0.2, 2.5, 40.0)
        return Provided(
            behavior=behavior,
            pieces=self._pick((1, 2, 4, 12)),
            pause=self._pick(pauses if self._is_trouble(0.7) else pauses[:2]),
            after=self._chance.randint(0, 1500),
            ends_with_connection=self._odds(0.15),
        )

    def _dialing(self) -> tuple[Dialing, ...]:
        if not self._is_trouble(0.3):
            return (Dialing.OPENS,)
        return tuple(self._pick(tuple(Dialing)) for _ in range(self._chance.randint(1, 4)))

    def _time(self) -> float:
        """Often one at which something else happens, too."""
        on_the_half = self._chance.randint(0, 12) / 2
        return self._pick((0.0, on_the_half, self._chance.random() * 60))

    def _is_trouble(self, odds: float) -> bool:
        return self._odds(odds * self._trouble)

    def _odds(self, odds: float) -> bool:
        return self._chance.random() < odds

    def _pick(self, choices: Sequence[T]) -> T:
        return self._chance.choice(choices)

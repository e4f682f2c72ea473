"""What a proof is tried on: requests and answers made of what the steps themselves look for.

In: the declared steps of a phase. Out: strategies of hypothesis. Every text is made of what rules
find, of fillers and of anything; every `when` is made true and false.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import attrs
from hypothesis import strategies as st

from kt.filters.analysis import satisfiable
from kt.filters.facts import FilterFacts
from kt.filters.printing import show_value
from kt.filters.syntax import Not
from kt.patterns.samples import samples
from kt.plan import Scan, Step
from kt.policy import Outcome, Phase
from kt.verify.naive import NO_TROUBLE, NOTHING_KNOWN

SAMPLES = 3
"""How many texts that it finds are made of each rule."""
MOST_TEXTS = 3
MOST_PIECES = 4
MOST_CUTS = 6
MOST_CONDITIONS = 200
"""Of how many different conditions witnesses are looked for."""
FILLERS = ("hello ", "\n", "é", "1", ", ", "\N{ZERO WIDTH SPACE}")
"""What stands between, and may break or lengthen what a rule finds."""
TROUBLE = (Outcome.LATE, Outcome.FAILED, Outcome.UNEVALUABLE)

Texts = tuple[str, ...]


@attrs.frozen(kw_only=True)
class Case:
    """One request, or one answer, and what goes wrong while it is judged."""

    phase: Phase
    texts: Texts
    facts: FilterFacts = NOTHING_KNOWN
    """What is known of the request."""
    trouble: Mapping[int, Outcome] = NO_TROUBLE
    """Steps, by declared place, that cannot answer, and how."""
    cuts: tuple[int, ...] | None = None
    """Where the answer is cut into pieces; None: it comes whole."""
    late_after: int | None = None
    """After how many pieces of a streamed answer no time is left."""

    def pieces(self, text: str) -> list[str]:
        """A text in the pieces in which it comes."""
        places = sorted(at % (len(text) + 1) for at in self.cuts or ())
        return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]

    def told(self) -> Iterator[str]:
        """The case for people, line by line."""
        for text in self.texts:
            pieces = self.pieces(text)
            yield f"text: {' + '.join(map(repr, pieces))}"
        for label, value in sorted(self.facts.values.items()):
            yield f"request: {label} is {_shown(value)}"
        for order, outcome in sorted(self.trouble.items()):
            yield f"trouble: entry {order + 1} of the chain is {outcome.value}"
        if self.late_after is not None:
            yield f"time: over after {self.late_after} pieces"


def _shown(value: object) -> str:
    return " ".join(sorted(value)) if isinstance(value, frozenset) else show_value(value)  # type: ignore[arg-type]


def whole_cases(phase: Phase, declared: tuple[Step, ...]) -> st.SearchStrategy[Case]:
    """Requests, or answers, that come whole; sometimes a step cannot answer."""
    return st.builds(
        Case,
        phase=st.just(phase),
        texts=_texts(declared),
        facts=_facts(declared),
        trouble=_trouble(declared),
    )


def streamed_cases(declared: tuple[Step, ...]) -> st.SearchStrategy[Case]:
    """Answers that come in pieces; sometimes the time for judging them is over."""
    return st.builds(
        Case,
        phase=st.just(Phase.OUTPUT),
        texts=_texts(declared),
        facts=_facts(declared),
        cuts=st.lists(st.integers(0, 200), max_size=MOST_CUTS).map(tuple),
        late_after=st.one_of(st.none(), st.none(), st.integers(0, MOST_CUTS)),
    )


def _texts(declared: tuple[Step, ...]) -> st.SearchStrategy[Texts]:
    scans = [step.body for step in declared if isinstance(step.body, Scan)]
    lists = [[text for rule in scan.rules for text in samples(rule, SAMPLES)] for scan in scans]
    # Each step has the same share, however many rules it has; what it finds stands alone at times.
    found = [st.sampled_from(texts) for texts in lists if texts] * 2
    piece = st.one_of(*found, st.sampled_from(FILLERS), st.text(max_size=6))
    pieces = st.lists(piece, max_size=MOST_PIECES)
    text = st.builds(str.join, st.sampled_from(("", " ")), pieces)
    return st.lists(text, min_size=1, max_size=MOST_TEXTS).map(tuple)


def _facts(declared: tuple[Step, ...]) -> st.SearchStrategy[FilterFacts]:
    """What makes conditions true or false, alone and several together."""
    known = [example.values for example in _witnesses(declared)]
    if not known:
        return st.just(NOTHING_KNOWN)
    several = st.lists(st.sampled_from(known), max_size=3)
    return several.map(
        lambda chosen: FilterFacts(
            MappingProxyType({name: one[name] for one in chosen for name in one})
        )
    )


def _witnesses(declared: tuple[Step, ...]) -> Iterator[FilterFacts]:
    conditions = dict.fromkeys(step.when for step in declared if step.when is not None)
    for condition in list(conditions)[:MOST_CONDITIONS]:
        for asked in (condition, Not(condition)):
            example = satisfiable(asked).example
            if example is not None:
                yield example


def _trouble(declared: tuple[Step, ...]) -> st.SearchStrategy[Mapping[int, Outcome]]:
    places = [step.order for step in declared if isinstance(step.body, Scan)]
    if not places:
        return st.just(NO_TROUBLE)
    some = st.dictionaries(st.sampled_from(places), st.sampled_from(TROUBLE), max_size=2)
    none = st.just(NO_TROUBLE)
    return st.one_of(none, none, none, some.map(MappingProxyType))

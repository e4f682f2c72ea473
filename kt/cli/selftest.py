"""`kt selftest`: whole gateways in a made-up world, and every promise checked in each."""

import json
from collections.abc import Iterator

import attrs
import click

from kt.simulation.drawing import draw
from kt.simulation.schedule import Schedule
from kt.simulation.search import Examined, examine, search, smallest

FORMAT = 1


@click.command()
@click.option("--seed", type=click.IntRange(0), help="Run this one alone, and tell its story.")
@click.option("--runs", type=click.IntRange(1), default=200, show_default=True)
@click.option("--first", type=click.IntRange(0), default=0, help="The seed of the first run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def selftest(seed: int | None, runs: int, first: int, as_json: bool) -> int:
    """Let clients, providers and the gateway's own world misbehave, repeatably.

    Each run is a whole gateway with its clients and providers in memory and in virtual time. A seed
    that breaks a promise is made as small as it can be, and told as a story.
    """
    shown = _one(seed) if seed is not None else search(range(first, first + runs))
    if seed is not None:
        first, runs = seed, 1
    if as_json:
        click.echo(json.dumps(_data(shown, runs)))
    else:
        for line in (*_story(shown), *_verdict(shown, first, runs)):
            click.echo(line)
    return 0 if shown is None or not shown.broken else 1


def _one(seed: int) -> Examined:
    found = examine(draw(seed))
    return smallest(found) if found.broken else found


def _verdict(shown: Examined | None, first: int, runs: int) -> Iterator[str]:
    if shown is None or not shown.broken:
        seeds = f"seed {first}" if runs == 1 else f"seeds {first} to {first + runs - 1}"
        yield f"{seeds}: every promise held"
        return
    yield from (f"broken: {one.invariant}: {one.how}" for one in shown.broken)
    yield f"again: kt selftest --seed {shown.schedule.seed}"


def _story(shown: Examined | None) -> Iterator[str]:
    if shown is None:
        return
    yield from _world(shown.schedule)
    yield from (f"{at:10.3f}  {who:<8}  {what}" for at, who, what in shown.story)


def _world(schedule: Schedule) -> Iterator[str]:
    yield f"setup '{schedule.setup}' on {schedule.edge.value}, {schedule.room} bytes under way"
    for visit in schedule.visits:
        yield f"a client that {visit.manner.value}, from {visit.at:.3f} on"
        for ask in visit.asks:
            form = " streamed" if ask.stream else ""
            behaviors = ", ".join(one.behavior.name.lower() for one in ask.attempts)
            yield f"  {ask.id} {ask.path}{form}, asks {ask.text.whole!r}"
            yield f"  {' ' * len(ask.id)} is told {ask.says.whole!r}, provider {behaviors}"


def _data(shown: Examined | None, runs: int) -> dict[str, object]:
    if shown is None or not shown.broken:
        return {"format": FORMAT, "runs": runs, "broken": []}
    return {
        "format": FORMAT,
        "runs": runs,
        "seed": shown.schedule.seed,
        "broken": [attrs.asdict(one) for one in shown.broken],
        "story": [{"at": at, "who": who, "what": what} for at, who, what in shown.story],
    }

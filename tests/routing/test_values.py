"""What a plan says of routing: triggers, and which strategies are performed."""

from kt.routing.strategies import ORDERS
from kt.routing.values import PERFORMED, STATUSES, ModelGroup, Routing, Strategy, Trigger


def test_every_trigger_has_its_statuses() -> None:
    assert STATUSES.keys() == set(Trigger)
    assert STATUSES[Trigger.SERVER_ERROR] >= STATUSES[Trigger.SERVICE_UNAVAILABLE]


def test_what_counts_as_performed_has_an_order() -> None:
    assert ORDERS.keys() == set(PERFORMED)


def test_the_strategies_that_nothing_performs_are_named_once() -> None:
    group = ModelGroup(name="g", strategy=Strategy.LOWEST_COST, members=())
    routing = Routing(strategy=Strategy.LOWEST_COST, groups=(group, group))
    assert routing.not_performed == (Strategy.LOWEST_COST,)
    assert Routing().not_performed == ()

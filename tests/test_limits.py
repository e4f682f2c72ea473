"""The plan's bounds: what of them acts and what only explains."""

from kt.limits import Admission, Count, Limit, SecretFrom, SecretRef
from kt.plan import to_data


def test_where_a_bound_came_from_is_no_part_of_it() -> None:
    assert Count(3, origin="default") == Count(3, origin="kt.yaml:1:1")
    assert Limit(3.0, origin="default") == Limit(3.0, origin="a flag")
    assert to_data(Count(3, origin="default"), descriptive_too=False) == {"value": 3}


def test_a_limit_that_nobody_set_is_none() -> None:
    many = Count(16, origin="default")
    admission = Admission(max_concurrent=many, max_queue=many)
    assert (admission.per_user, admission.per_team) == (None, None)


def test_a_secret_is_only_named() -> None:
    ref = SecretRef(source=SecretFrom.ENV, name="KEY")
    assert to_data(ref) == {"source": "env", "name": "KEY"}

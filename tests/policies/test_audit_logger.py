"""`audit-logger`."""

import pytest

from kt.plan import Record
from kt.policies.audit_logger import AuditLogger
from kt.policy import Phase, Streams


def test_it_lowers_to_a_record_and_reads_no_text() -> None:
    assert AuditLogger().body(Phase.AUDIT) == Record(log_all_access=True)
    assert AuditLogger(log_all_access=False).body(Phase.AUDIT) == Record(log_all_access=False)
    facts = AuditLogger().facts(Phase.AUDIT)
    assert (facts.surfaces, facts.has_effects, facts.streams) == (
        frozenset(),
        True,
        Streams.NEVER,
    )
    assert not facts.can_block


def test_what_is_not_enforced_warns_only_where_it_is_set() -> None:
    assert AuditLogger().problems() == ()
    logger = AuditLogger(immutable=False, retention_days=365, hipaa_audit_controls=True)
    assert [(one.field, one.is_warning) for one in logger.problems()] == [
        ("immutable", True),
        ("retention_days", True),
        ("hipaa_audit_controls", True),
    ]


@pytest.mark.parametrize(("days", "errors"), [(0, 1), (1, 0), (36500, 0), (36501, 1)])
def test_retention_has_a_range(days: int, errors: int) -> None:
    problems = AuditLogger(retention_days=days).problems()
    assert [one.code_name for one in problems if not one.is_warning] == ["out_of_range"] * errors

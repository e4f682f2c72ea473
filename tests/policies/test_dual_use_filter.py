"""`dual-use-filter`."""

from kt.policies.actions import RedactOrBlock
from kt.policies.dual_use_filter import DualUseFilter
from kt.policy import Action, Phase
from tests.support.findings import found, redacted, scan, warned


def test_it_blocks_unless_it_is_told_to_redact() -> None:
    assert scan(DualUseFilter()).action is Action.BLOCK
    assert DualUseFilter().facts(Phase.INPUT).can_block
    kind = DualUseFilter(action=RedactOrBlock.REDACT, blocked_terms=("centrifuge",))
    assert (kind.facts(Phase.INPUT).edits, kind.facts(Phase.INPUT).can_block) == (True, False)
    assert redacted(kind, "a Centrifuge of maraging steel") == "a [DUAL_USE] of [DUAL_USE]"


def test_built_in_phrases_and_own_terms_are_found() -> None:
    kind = DualUseFilter(blocked_terms=("detonator",), fuzzy_matching=True)
    assert found(kind, "a detonater") == {"dual_use.blocked_terms_1"}
    assert found(kind, "five-axis milling") == {"dual_use.ccl.goods"}
    assert found(kind, "a kitchen mixer and a guided tour") == set()


def test_a_distance_that_is_not_matched_is_warned_of() -> None:
    assert warned(DualUseFilter()) == []
    assert warned(DualUseFilter(fuzzy_matching=True, max_distance=8)) == [
        ("max_distance", "not_enforced")
    ]

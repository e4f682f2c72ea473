"""`legal-privilege`."""

import pytest

from kt.policies.legal_privilege import LegalPrivilege
from kt.policy import Action
from tests.support.findings import found, scan, warned


@pytest.mark.parametrize(
    "text",
    [
        "ATTORNEY-CLIENT PRIVILEGED",
        "Privileged & Confidential",
        "this is attorney work product",
        "prepared in anticipation of litigation",
    ],
)
def test_markers_of_privilege_are_found(text: str) -> None:
    assert found(LegalPrivilege(), text)
    assert scan(LegalPrivilege()).action is Action.BLOCK


@pytest.mark.parametrize(
    "text", ["a privileged user", "my attorney called", "the work on products"]
)
def test_other_text_passes(text: str) -> None:
    assert found(LegalPrivilege(), text) == set()


def test_own_markers_are_added() -> None:
    kind = LegalPrivilege(privilege_markers=("for counsel only",))
    assert found(kind, "For Counsel Only") == {"privilege.privilege_markers_1"}
    assert warned(kind) == []

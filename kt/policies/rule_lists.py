"""The built-in rule lists by name, each with the hash of everything in it.

Out: what a plan says it was made with, so that another `kt` can tell whether it has the same lists.
"""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from kt.plan import canonical_json
from kt.policies.rules.confidential_matters import INSIDER, PRIVILEGE
from kt.policies.rules.controlled_subjects import DUAL_USE, MARKINGS, USML
from kt.policies.rules.injection import FAKE_BOUNDARIES, SIGNALS
from kt.policies.rules.markings import HIGH, RESTRICTED
from kt.policies.rules.personal_data import ENTITIES, Entity
from kt.policies.rules.secrets import DANGEROUS, SECRETS
from kt.policies.rules.signal import Signal
from kt.policies.rules.unsafe_content import EVERYTHING

RULE_LISTS: Mapping[str, tuple[Signal | Entity, ...]] = MappingProxyType(
    {
        "injection": (*SIGNALS, *FAKE_BOUNDARIES),
        "confidential_matters": (*INSIDER, *PRIVILEGE),
        "controlled_subjects": (*MARKINGS, *USML, *DUAL_USE),
        "markings": (*HIGH, *RESTRICTED),
        "personal_data": tuple(ENTITIES.values()),
        "secrets": (*SECRETS, *DANGEROUS),
        "unsafe_content": EVERYTHING,
    }
)
"""The modules of `kt.policies.rules`, each with all that it offers."""


def rule_lists() -> tuple[tuple[str, str], ...]:
    """Name and SHA-256 of every list."""
    return tuple(
        (name, hashlib.sha256(canonical_json(rules)).hexdigest())
        for name, rules in RULE_LISTS.items()
    )

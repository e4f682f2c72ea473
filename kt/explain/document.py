"""The stable form of a plan: one canonical JSON document with its digest."""

import attrs

from kt.plan import FORMAT, Plan, canonical_json


@attrs.frozen(kw_only=True)
class PlanDocument:
    """What `kt config compile -o` writes and `kt gateway run --plan` reads."""

    format: int
    digest: str
    plan: Plan


def to_document(plan: Plan) -> bytes:
    """The plan as canonical JSON with its digest: equal plans give equal bytes."""
    return canonical_json(PlanDocument(format=FORMAT, digest=plan.digest, plan=plan))

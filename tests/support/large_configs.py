"""Configurations of any size, for what must grow no faster than they do."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

HEAD = "pack: {name: large, version: 1.0.0, enabled: true}\n"


def with_patterns(count: int) -> str:
    """One policy that looks for many patterns."""
    patterns = "".join(f"      - 'key{number}[a-z]{{3}}'\n" for number in range(count))
    chain = "policies: {chain: [pii-detector]}\npolicy:\n  pii-detector:\n    detect_patterns:\n"
    return f"{HEAD}{chain}{patterns}"


def with_targets(count: int) -> str:
    """Many targets, four lines each."""
    targets = "".join(
        f"    - id: target-{number}\n      provider: openai\n      model: m\n"
        f"      secret_key_ref: {{env: KEY_{number}}}\n"
        for number in range(count)
    )
    return f"{HEAD}providers:\n  targets:\n{targets}"


def with_mistakes(count: int) -> str:
    """As many unknown keys, each of which gets a hint."""
    keys = "".join(f"  listen_prot{number}: 1\n" for number in range(count))
    return f"{HEAD}gateway:\n{keys}"


POLICIES = (
    "type: dlp-filter, action: block, pattern: 'key{number}[a-z]+'",
    "type: pii-detector, action: redact, parallel_group: g{group}, pattern: 'tok{number}[a-z]+'",
    "type: agent-firewall, phase: output",
    "type: bot-detector, action: block, parallel: true",
    "type: prompt-injection, action: flag",
    "type: audit-logger",
    "type: external-moderation, phase: output, parallel_group: g{group}",
    "type: dlp-filter, phase: output, action: redact, pattern: 'word{number}[a-z]+'",
    "type: bot-detector, order: free",
)
"""Policies that block, redact, record, wait, act and count, in both phases and in groups."""
GROUPS = 7


def with_policies(count: int) -> str:
    """A list of many policies of all sorts; every one with a pattern has its own."""
    rows = (POLICIES[number % len(POLICIES)] for number in range(count))
    policies = "".join(
        f"  - {{name: policy-{number}, {row.format(number=number, group=number % GROUPS)}}}\n"
        for number, row in enumerate(rows)
    )
    return f"{HEAD}policies:\n{policies}"


CONDITIONS = (
    "when: 'request.model == \"m{number}\" and request.max_tokens > {number}'",
    'when: \'request.stream or not user.role in ["a", "r{number}"]\'',
    "conditions: {{max_tokens_gt: {number}, header: {{x-n: h{number}}}}}",
    "when: 'request.max_tokens > {number} and request.max_tokens < {number}'",
    'when: \'request.model starts_with "m{number}" or request.model == "m{number}"\'',
)
"""Conditions in both forms: possible ones, one that no request meets, one that is partly idle."""


def with_conditions(count: int) -> str:
    """A list of many policies, each for some requests."""
    rows = (CONDITIONS[number % len(CONDITIONS)] for number in range(count))
    policies = "".join(
        f"  - {{name: policy-{number}, type: prompt-injection, {row.format(number=number)}}}\n"
        for number, row in enumerate(rows)
    )
    return f"{HEAD}policies:\n{policies}"


SHAPES: Mapping[str, Callable[[int], str]] = MappingProxyType(
    {
        "patterns": with_patterns,
        "targets": with_targets,
        "mistakes": with_mistakes,
        "policies": with_policies,
        "conditions": with_conditions,
    }
)
"""Name -> how a configuration of a size is made."""

"""What decides a verdict besides the configuration: engines and built-in rule lists, by version.

Out: names and versions that every plan carries, so that it runs only where they are the same.
"""

import unicodedata
from importlib.metadata import version

from kt.policies.rule_lists import rule_lists

DIALECT = 1
"""The meaning of rule patterns (docs/decisions/001, 002). Raise it when a verdict may change."""

Versions = tuple[tuple[str, str], ...]


def installed_engines() -> Versions:
    """The matcher, the meaning of patterns, what the views fold by, what knows checksums."""
    return (
        ("google-re2", version("google-re2")),
        ("kt-pattern-dialect", str(DIALECT)),
        ("python-stdnum", version("python-stdnum")),
        ("unicode", unicodedata.unidata_version),
    )


__all__ = ["Versions", "installed_engines", "rule_lists"]

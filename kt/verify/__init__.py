"""Hold a user's own plan against the plainest reading of its configuration."""

from kt.verify.cases import Case
from kt.verify.law import Counterexample, verify

__all__ = ["Case", "Counterexample", "verify"]

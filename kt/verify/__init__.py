"""Hold a user's own plan against the plainest reading of its configuration."""

from kt.verify.law import Counterexample, verify

__all__ = ["Counterexample", "verify"]

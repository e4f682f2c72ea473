"""kt: a policy gateway for LLM traffic.

The layout, in the order in which data goes through it (docs/architecture.md has the map):
kt/compiler/ turns policy-config.yaml into a plan; kt/plan.py is that plan, the one value that the
compiler and kt/runtime/ share; kt/policies/ holds one file per policy kind, kt/patterns/ the
linear-time matching, kt/wire/ the wire formats, kt/cli/ the commands, kt/testing/ the mock
provider.
"""

__version__ = "0.1.0"

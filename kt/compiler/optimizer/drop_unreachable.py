"""Leave out what is for no request.

In: Program, in which a condition that no request meets is the constant `false`. Out: Program
without the steps that have it. Never: judges a condition itself.
"""

from kt.compiler.optimizer.drop_disabled import without
from kt.compiler.program import Program


def drop_unreachable(program: Program) -> Program:
    """Drop the steps of every entry whose condition no request meets; the trace names them."""
    return without(program, program.unreachable)

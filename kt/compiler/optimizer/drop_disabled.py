"""Leave out what is switched off.

In: Program. Out: Program without the steps of disabled entries. Never: drops anything else.
"""

import attrs

from kt.compiler.program import Program


def drop_disabled(program: Program) -> Program:
    """Drop the steps of every entry that says `enabled: false`; the trace names them."""
    return without(program, program.disabled)


def without(program: Program, orders: frozenset[int]) -> Program:
    """The program without the steps of some declared places."""
    kept = []
    for stage in program.stages:
        steps = tuple(step for step in stage.steps if step.order not in orders)
        if steps:
            kept.append(attrs.evolve(stage, steps=steps))
    return attrs.evolve(program, stages=tuple(kept))

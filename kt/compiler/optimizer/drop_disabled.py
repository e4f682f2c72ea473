"""Leave out what is switched off.

In: Program. Out: Program without the steps of disabled entries. Never: drops anything else.
"""

import attrs

from kt.compiler.program import Program


def drop_disabled(program: Program) -> Program:
    """Drop the steps of every entry that says `enabled: false`; the trace names them."""
    kept = []
    for stage in program.stages:
        steps = tuple(step for step in stage.steps if step.order not in program.disabled)
        if steps:
            kept.append(attrs.evolve(stage, steps=steps))
    return attrs.evolve(program, stages=tuple(kept))

"""Phases of cyclic messages: when in its cycle each is sent, so that frames do not burst."""

from collections.abc import Sequence
from math import gcd, lcm

_LONGEST_PLAN = 10_000  # slots of the plan; a longer common period is cut here


def phases(cycles_ms: Sequence[int], tick_ms: int | None = None) -> list[int]:
    """The phase of each message in ms (0 <= phase < cycle), for cycles in ms (0: not cyclic, phase 0).

    The quickest messages choose first; each takes the first phase where the fullest tick that it meets is least full.
    `tick_ms` is the grid of sending; without it, the greatest common divisor of the cycles.
    """
    cyclic = [cycle for cycle in cycles_ms if cycle]
    if not cyclic:
        return [0] * len(cycles_ms)
    tick_ms = tick_ms or gcd(*cyclic)
    count = min(lcm(*cyclic) // tick_ms or 1, _LONGEST_PLAN)
    load = [0] * count
    result = [0] * len(cycles_ms)
    for at in sorted(range(len(cycles_ms)), key=lambda at: (cycles_ms[at], at)):
        cycle = cycles_ms[at]
        if not cycle:
            continue
        step = max(cycle // tick_ms, 1)
        candidates = range(min(step, count))
        best = min(candidates, key=lambda phase: (max(load[phase::step]), sum(load[phase::step]), phase))
        for place in range(best, count, step):
            load[place] += 1
        result[at] = best * tick_ms
    return result

"""Measures the firmware's control period beside references of known cost, in one MicroPython process.

    micropython cost.py TASK

TASK is a JSON file: `recording`, path of a file with, for each period, a byte with the number of frames and for each
frame id (2 bytes) and data (8 bytes); `repeats`; `functions`, the viper functions that are timed, each with its number
of arguments. Prints one JSON object. Sums are the least of all repeats.
"""

import gc
import json
import sys
from time import ticks_us

import mixes
import parts
import references
from replay import Replay, count

REFERENCE_LOOPS = 1000
NEVER_US = 1 << 30


def measure_references(least):
    """Bring `least`, pairs of (loop with, loop without the operation) in us, up to date."""
    for pair, (_, _, _, _, function, base) in zip(least, references.REFERENCES):
        began = ticks_us()
        function(REFERENCE_LOOPS)
        pair[0] = min(pair[0], ticks_us() - began)
        if base:
            began = ticks_us()
            base(REFERENCE_LOOPS)
            pair[1] = min(pair[1], ticks_us() - began)
        else:
            pair[1] = 0


def measure_clock():
    """us that a pair of readings of the clock adds to what is between them."""
    rounds = 20_000
    spent = 0
    for _ in range(rounds):
        began = ticks_us()
        spent += ticks_us() - began
    return spent / rounds


def measure_functions(recording, periods, functions):
    """Name -> (calls, us) of the viper functions."""
    measured = parts.Parts()
    Replay(recording, periods, on_load=lambda: parts.wrap_functions(measured, functions)).run()
    return measured.net_us()


def least_parts(rounds):
    """The round with the least time in all."""
    return min(rounds, key=lambda found: sum(us for _, us in found.values()))


def main(task):
    with open(task["recording"], "rb") as file:
        recording = file.read()
    periods = count(recording)
    pairs = [[NEVER_US, NEVER_US] for _ in references.REFERENCES]
    least_loop = [NEVER_US] * periods
    least_sums = [NEVER_US] * (3 + len(mixes.MIXES))
    functions = [mix[3] for mix in mixes.MIXES]
    functions_rounds = []
    clock_us = NEVER_US
    gc.disable()
    for repeat in range(task["repeats"]):
        gc.collect()
        clock_us = min(clock_us, measure_clock())
        measure_references(pairs)
        replay = Replay(recording, periods, between=functions)
        replay.run()
        gc.disable()
        least_loop = [min(a, b) for a, b in zip(least_loop, replay.loop_us)]
        sums = [sum(replay.loop_us), sum(replay.frames_us), replay.timer_us] + list(replay.between_us)
        least_sums = [min(a, b) for a, b in zip(least_sums, sums)]
        if repeat % 4 == 0:
            gc.collect()
            functions_rounds.append(measure_functions(recording, periods, task["functions"]))
            gc.disable()
    print(
        json.dumps(
            {
                "loops": [
                    (name, kind, instructions, (took - base) * 1000 / REFERENCE_LOOPS / operations)
                    for (name, kind, instructions, operations, _, _), (took, base) in zip(references.REFERENCES, pairs)
                ],
                "mixes": [
                    (name, kind, instructions, 1000 * us / periods)
                    for (name, kind, instructions, _), us in zip(mixes.MIXES, least_sums[3:])
                ],
                "clock_us": clock_us,
                "periods": periods,
                "frames": list(replay.frames),
                "loop_us": least_loop,
                "sums_us": least_sums[:3],
                "functions": least_parts(functions_rounds),
            }
        )
    )


if __name__ == "__main__":
    with open(sys.argv[1]) as task_file:
        main(json.load(task_file))

"""Time in the parts of a tick: the firmware's viper functions."""

import sys
from time import ticks_us

# Globals, not a closure: calling one with more than five arguments and cells together allocates
_WRAPPER = """
def wrapper({arguments}):
    us_before = inner[0]
    calls_before = inner[1]
    inner[0] = inner[1] = 0
    began = clock()
    result = function({arguments})
    spent = clock() - began
    us[{i}] += spent - inner[0]
    calls[{i}] += 1
    wrapped[{i}] += inner[1]
    inner[0] = us_before + spent
    inner[1] = calls_before + 1
    return result
"""
_PASSES = 100
_ROUNDS = 301


class Parts:
    """Sums by name, each without what the other parts that it calls take.

    A wrapper takes as many arguments as what it wraps, so that it allocates nothing.
    """

    def __init__(self):
        self.names = []
        self.us = []
        self.calls = []
        self.wrapped = []  # calls of other parts
        self.inner = [0, 0]  # time in and calls of parts that the running one has called

    def wrap(self, name, function, arguments):
        names = ", ".join("a%d" % i for i in range(arguments))
        made = {
            "clock": ticks_us,
            "function": function,
            "us": self.us,
            "calls": self.calls,
            "wrapped": self.wrapped,
            "inner": self.inner,
        }
        exec(_WRAPPER.format(arguments=names, i=len(self.names)), made)
        self.names.append(name)
        self.us.append(0)
        self.calls.append(0)
        self.wrapped.append(0)
        return made["wrapper"]

    def net_us(self):
        """Name -> (calls, time without what the wrappers add)."""
        within, around = _added_us()
        return {
            name: (calls, us - calls * within - wrapped * around)
            for name, us, calls, wrapped in zip(self.names, self.us, self.calls, self.wrapped)
        }


def _added_us():
    """us that a wrapper adds to the time that it takes itself, and to that of its caller."""

    def empty(a, b):
        pass

    probe = Parts()
    wrapper = probe.wrap("", empty, 2)
    rounds = []
    for _ in range(_ROUNDS):
        probe.us[0] = 0
        began = ticks_us()
        for _ in range(_PASSES):
            wrapper(1, 2)
        all_us = ticks_us() - began
        began = ticks_us()
        for _ in range(_PASSES):
            pass
        loop = ticks_us() - began
        began = ticks_us()
        for _ in range(_PASSES):
            empty(1, 2)
        call = ticks_us() - began - loop
        rounds.append((probe.us[0] - call, all_us - loop - probe.us[0]))
    middle = _ROUNDS // 2
    return [sorted(values)[middle] / _PASSES for values in zip(*rounds)]


def wrap_functions(parts, functions):
    """Wrap functions wherever modules of the firmware know them; `functions`: "module.function" -> arguments."""
    wrappers = []
    for path, arguments in functions.items():
        module, name = path.rsplit(".", 1)
        if module in sys.modules:
            function = getattr(sys.modules[module], name)
            wrappers.append((function, parts.wrap(path, function, arguments)))
    for name, module in list(sys.modules.items()):
        if name[:4] == "vcu.":
            for key in dir(module):
                value = getattr(module, key)
                for function, wrapper in wrappers:
                    if value is function:
                        setattr(module, key, wrapper)

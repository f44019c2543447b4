"""Counts the firmware's calls into the board's driver: C in MicroPython, charged by rows `[driver]` of costs.toml."""

import functools
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from twinaxle.firmware.cortex.world import World

SEND = "machine.CAN.send"


def count_calls(world: World, names: Iterable[str]) -> Counter[str]:
    """From here on counts the calls of functions and methods of the world's modules (`machine.CAN.send`), whoever
    calls them. To be called before the firmware is loaded, which keeps bound methods.
    """
    calls: Counter[str] = Counter()
    for name in names:
        module, *path, last = name.split(".")
        owner = world.load(module)
        for step in path:
            owner = getattr(owner, step)
        setattr(owner, last, _counted(name, getattr(owner, last), calls))
    return calls


def _counted(name: str, function: Callable[..., Any], calls: Counter[str]) -> Callable[..., Any]:
    @functools.wraps(function)
    def counted(*args: Any) -> Any:
        calls[name] += 1
        return function(*args)

    counted.charged_as = name  # type: ignore[attr-defined]
    return counted

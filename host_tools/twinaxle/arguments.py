"""Argument types that commands share."""

import argparse
import math


def listed(text: str) -> list[str]:
    """The parts of a list such as `A,B` or `A B`; for options with `action="extend"`."""
    return text.replace(",", " ").split()


def number(text: str) -> float:
    """A number that one can compute with: neither NaN nor infinite. For `type=` of an option."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return value

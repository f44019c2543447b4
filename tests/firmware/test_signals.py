"""The table of the tick's signals, the constants that point into it, and traps of viper."""

import ast
import re

from firmware_slots import SIGNALS
from vcu.signals import signals

from twinaxle.paths import FIRMWARE
from twinaxle.tags import Resolved, rewrite_files


def resolve(name: str) -> Resolved:
    if name not in SIGNALS:
        raise KeyError(f"vcu/signals.py has no signal {name}")
    return Resolved(SIGNALS[name])


def test_the_table_numbers_its_slots_without_gaps():
    assert sorted(SIGNALS.values()) == list(range(len(signals)))


def test_front_and_rear_have_their_signals_in_the_same_order():
    sides = [
        [name.removeprefix(side) for name in SIGNALS if name.startswith(side) and "_dnm" not in name[-4:] + "_"]
        for side in ("front_", "rear_")
    ]
    assert sides[0] == sides[1]
    assert SIGNALS["rear_dnm"] == SIGNALS["front_dnm"] + 1
    assert SIGNALS["split_rear_dnm"] == SIGNALS["split_front_dnm"] + 1
    assert SIGNALS["enable_rear"] == SIGNALS["enable_front"] + 1


def test_every_tagged_constant_has_the_number_of_its_signal():
    stale = rewrite_files((FIRMWARE / "vcu").glob("*.py"), "sig", resolve, check=True)
    assert not stale, "\n".join(map(str, stale))


def test_signed_signals_are_read_with_their_sign_and_others_are_not():
    """Each read of a slot marked +- goes through the 16-bit idiom (or compares with zero)."""
    table = (FIRMWARE / "vcu" / "signals.py").read_text()
    signed = set(re.findall(r"^ ?\d+ (\w+) +\+-", table, re.MULTILINE))
    wrong = []
    for path in sorted((FIRMWARE / "vcu").glob("*.py")):
        text = path.read_text()
        if "ptr32" not in text or path.name in ("signals.py", "tick.py"):
            continue
        names = dict(re.findall(r"^(_\w+) = const\(\d+\)  # sig: (\w+)", text, re.MULTILINE))
        for line in text.splitlines():
            for index in re.findall(r"(?<!t)(?<!r)s\[(?:\w+ \+ )?(_\w+)\](?! = )", line):
                if (
                    names.get(index) in signed
                    and "0xFFFF" not in line
                    and "not s[" not in line
                    and " and s[" not in line
                ):
                    wrong.append(f"{path.name}: {line.strip()}")
    allowed = [
        "tx[_DEMAND] = s[_DEMAND_SIG] if s[_DRIVING] else 0",
        "torque = s[axle + _FRONT_DNM]",
    ]  # stored as they are
    assert [line for line in wrong if not any(line.endswith(good) for good in allowed)] == []


def test_no_viper_function_negates_a_local_in_place():
    """In MicroPython 1.29 `-x` and `~x` of a local in a register change x itself."""
    wrong = []
    for path in (FIRMWARE / "vcu").glob("*.py"):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef):
                continue
            if not any(isinstance(mark, ast.Attribute) and mark.attr == "viper" for mark in function.decorator_list):
                continue
            wrong += [
                f"{path.name}:{node.lineno}"
                for node in ast.walk(function)
                if isinstance(node, ast.UnaryOp)
                and isinstance(node.op, ast.USub | ast.Invert)
                and isinstance(node.operand, ast.Name)
                and not node.operand.id.startswith("_")  # a folded constant
            ]
    assert wrong == []

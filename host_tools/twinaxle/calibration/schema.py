"""What a calibration may contain: `schema.toml` declares every key, its range and its shape.

    [pedal]
    apps1_min_mv = { min = 0, max = 5000, about = "accelerator sensor 1, pedal released" }
    [demand]
    pedal_permille = { min = 0, max = 1000, length = 11, axis = true }
    speed_kmh = { min = 0, max = 250, length = 8, axis = true }
    share_permille = { min = -1000, max = 1000, rows = "pedal_permille", columns = "speed_kmh", rising = "rows" }

An axis rises strictly. `rising` says along what a map or list must never fall. `rows` and `columns` name axes in the
same table, or `table.key` in another.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinaxle.calibration.toml import TomlFile, read_toml

SMALL_INT_LIMIT = 1 << 30
"""MicroPython on the board keeps integers inside +-2**30 without allocating."""
_KEYS = {"min", "max", "length", "axis", "rows", "columns", "rising", "about"}


@dataclass(frozen=True)
class Declaration:
    """One key of the schema. `minimum` and `maximum` are in the unit of the key's name."""

    name: str
    """`table.key`"""
    minimum: int
    maximum: int
    length: int = 0
    """Elements of a list; 0 for a scalar or a map."""
    rows: str = ""
    """`table.key` of the axis of a map's rows; empty for a scalar or list."""
    columns: str = ""
    is_axis: bool = False
    rising: str = ""
    """'' or 'rows' or 'columns'; for a list 'rows'."""
    about: str = ""


@dataclass(frozen=True)
class Schema:
    """All declarations, in the order of the file."""

    file: TomlFile
    declarations: dict[str, Declaration]


def read_schema(path: Path) -> Schema:
    """Read `path`. Raises UserError with file, line and key for what is not a declaration."""
    file = read_toml(path)
    declarations: dict[str, Declaration] = {}
    for table, keys in file.content.items():
        if not isinstance(keys, dict):
            raise file.error(table, "stands outside a table; every key belongs to a [table].")
        for key, fields in keys.items():
            name = f"{table}.{key}"
            declarations[name] = _declaration(file, table, name, fields)
    for declaration in declarations.values():
        for axis in (declaration.rows, declaration.columns):
            if axis and (axis not in declarations or not declarations[axis].is_axis):
                raise file.error(declaration.name, f"its axis {axis} is not declared as one (`axis = true`).")
    return Schema(file, declarations)


def _declaration(file: TomlFile, table: str, name: str, fields: Any) -> Declaration:
    if not isinstance(fields, dict):
        raise file.error(name, "must be a declaration such as { min = 0, max = 100 }.")
    for field in fields:
        if field not in _KEYS:
            raise file.error(name, f"unknown field {field!r}; known are {', '.join(sorted(_KEYS))}.")
    for field in ("min", "max"):
        if not isinstance(fields.get(field), int) or abs(fields[field]) >= SMALL_INT_LIMIT:
            raise file.error(name, f"`{field}` must be an integer inside +-2**30.")
    if fields["min"] > fields["max"]:
        raise file.error(name, f"min {fields['min']} is above max {fields['max']}.")
    if ("rows" in fields) != ("columns" in fields) or ("rows" in fields and "length" in fields):
        raise file.error(name, "a map has both `rows` and `columns`, and no `length`.")
    length = fields.get("length", 0)
    if not isinstance(length, int) or ("length" in fields and length < 1):
        raise file.error(name, "`length` must be a positive integer.")
    if fields.get("axis") and not length:
        raise file.error(name, "an axis needs its `length`.")
    if fields.get("rising", "") not in ("", "rows", "columns"):
        raise file.error(name, '`rising` is "rows" or "columns".')

    def axis_name(value: str) -> str:
        return value if not value or "." in value else f"{table}.{value}"

    return Declaration(
        name=name,
        minimum=fields["min"],
        maximum=fields["max"],
        length=length,
        rows=axis_name(fields.get("rows", "")),
        columns=axis_name(fields.get("columns", "")),
        is_axis=bool(fields.get("axis", False)),
        rising=fields.get("rising", ""),
        about=fields.get("about", ""),
    )

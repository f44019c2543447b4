"""Loads a calibration file and checks it against the schema.

A file may stand on others: `layers = ["78kWh.toml"]` at its head takes their keys first, in this order, and its own
keys replace them. A variant so holds only what differs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from twinaxle.calibration.schema import Declaration, Schema, read_schema
from twinaxle.calibration.toml import TomlFile, read_toml
from twinaxle.errors import UserError

SCHEMA_NAME = "schema.toml"
LAYERS = "layers"
"""Key at the head of a file: the files that it stands on, in the same folder."""

Leaves = dict[str, tuple[TomlFile, Any]]
"""`table.key` -> the file that says it, and its value."""


@dataclass(frozen=True)
class Item:
    """One key of a calibration with its values and its place in the firmware's array."""

    name: str
    """`table.key`"""
    slot: int
    values: tuple[int, ...]
    """In the unit of the name; a map row by row."""
    rows: int
    """Rows of a map; 1 for a list or scalar."""
    columns: int
    """Elements of a row; 1 for a scalar."""
    about: str = ""

    @property
    def unit(self) -> str:
        """The last part of the key, which is its unit (`mv`)."""
        return self.name.rpartition(".")[2].rpartition("_")[2]


@dataclass(frozen=True)
class Calibration:
    """A checked calibration."""

    path: Path
    items: dict[str, Item]
    """By name, in the order of the slots."""
    typecode: str
    """Of the literal in the firmware: 'h' (16 bit) where the schema's ranges fit, else 'i' (32 bit)."""

    @property
    def values(self) -> list[int]:
        """All slots."""
        return [value for item in self.items.values() for value in item.values]


def load_calibration(path: Path, schema_path: Path | None = None) -> Calibration:
    """Read and check `path` against `schema_path` (default: `schema.toml` beside it).

    Raises UserError that lists every fault with file, line, key and what is wrong.
    """
    given = merged(path)
    schema = read_schema(schema_path or path.parent / SCHEMA_NAME)
    own = read_toml(path)
    faults = [str(file.error(name, f"unknown key; {schema.file.where('')} does not declare it."))
              for name, (file, _) in given.items() if name not in schema.declarations]  # fmt: skip
    items: dict[str, Item] = {}
    files = {name: file for name, (file, _) in given.items()}
    slot = 0
    for name, declaration in schema.declarations.items():
        if name not in given:
            faults.append(str(own.error(name, f"missing; declared at {schema.file.where(name)}.")))
            continue
        file, value = given[name]
        try:
            rows = _rows(file, declaration, value)
        except UserError as error:
            faults.append(str(error))
            continue
        values = tuple(value for row in rows for value in row)
        items[name] = Item(name, slot, values, len(rows), len(rows[0]), declaration.about)
        slot += len(values)
        faults += [str(file.error(name, what)) for what in _value_faults(declaration, rows)]
    faults += [
        str(files[item.name].error(item.name, what))
        for item in items.values()
        for what in _shape_faults(item, items, schema)
    ]
    if faults:
        raise UserError("\n".join(faults))
    return Calibration(path, items, _typecode(schema.declarations.values()))


def merged(path: Path, without: str = "") -> Leaves:
    """All keys of `path` and of the files that it stands on, unchecked; the layer named `without` is left out.

    Raises UserError where a file cannot be read, or layers are no list of names or run in a circle.
    """
    return _merged(path, without, ())


def _merged(path: Path, without: str, above: tuple[Path, ...]) -> Leaves:
    file = read_toml(path)
    layers = file.content.pop(LAYERS, [])
    if not isinstance(layers, list) or not all(isinstance(name, str) for name in layers):
        raise file.error(LAYERS, f"must be a list of file names, and is {layers!r}.")
    leaves: Leaves = {}
    for name in layers:
        layer = path.parent / name
        if layer == path or layer in above:
            raise file.error(LAYERS, f"{name} stands on this file itself.")
        if name != without:
            leaves |= _merged(layer, without, (*above, path))
    return leaves | {name: (file, value) for name, value in _leaves(file)}


def _leaves(file: TomlFile) -> Iterator[tuple[str, Any]]:
    for table, keys in file.content.items():
        if isinstance(keys, dict):
            for key, value in keys.items():
                yield f"{table}.{key}", value
        else:
            yield table, keys


def _rows(file: TomlFile, declaration: Declaration, value: Any) -> list[list[int]]:
    """The value as rows of integers. Raises UserError where it has another shape or holds something else."""
    is_map, is_list = bool(declaration.rows), bool(declaration.length)
    name = declaration.name
    if is_map:
        if not isinstance(value, list) or not value or not all(isinstance(row, list) and row for row in value):
            raise file.error(name, "must be a list of rows.")
        if len({len(row) for row in value}) != 1:
            raise file.error(name, f"its rows differ in length: {', '.join(str(len(row)) for row in value)}.")
        rows = value
    elif is_list:
        if not isinstance(value, list):
            raise file.error(name, f"must be a list of {declaration.length} integers, and is {value!r}.")
        if len(value) != declaration.length:
            raise file.error(name, f"has {len(value)} elements; the schema asks for {declaration.length}.")
        rows = [value]
    else:
        rows = [[value]]
    for row in rows:
        for element in row:
            if isinstance(element, bool) or not isinstance(element, int):
                raise file.error(name, f"{element!r} is not an integer; values are integers in the unit of the name.")
    return rows


def _value_faults(declaration: Declaration, rows: list[list[int]]) -> Iterator[str]:
    for row_index, row in enumerate(rows):
        for column_index, value in enumerate(row):
            if not declaration.minimum <= value <= declaration.maximum:
                place = ""
                if declaration.rows:
                    place = f"row {row_index + 1}, column {column_index + 1}: "
                elif declaration.length:
                    place = f"element {column_index + 1}: "
                yield f"{place}{value} is outside {declaration.minimum}..{declaration.maximum}."
    if declaration.is_axis and any(after <= before for before, after in pairwise(rows[0])):
        yield "an axis must rise from element to element."
    if declaration.rising:
        is_across = declaration.rows and declaration.rising == "rows"
        lines = [list(column) for column in zip(*rows, strict=True)] if is_across else rows
        if any(after < before for line in lines for before, after in pairwise(line)):
            along = f" along its {declaration.rising}" if declaration.rows else ""
            yield f"must not fall{along}."


def _shape_faults(item: Item, items: dict[str, Item], schema: Schema) -> Iterator[str]:
    declaration = schema.declarations[item.name]
    for what, axis, count in (("rows", declaration.rows, item.rows), ("columns", declaration.columns, item.columns)):
        if axis in items and items[axis].columns != count:
            yield f"has {count} {what}, but its axis {axis} has {items[axis].columns} elements."


def _typecode(declarations: Iterable[Declaration]) -> str:
    fits = all(item.minimum >= -(1 << 15) and item.maximum < 1 << 15 for item in declarations)
    return "h" if fits else "i"

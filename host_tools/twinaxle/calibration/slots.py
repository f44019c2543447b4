"""What a `# cal:` tag in the firmware stands for."""

from twinaxle.calibration.load import Calibration
from twinaxle.tags import Resolved

_COUNTS = ("rows", "columns", "length")


def resolve(calibration: Calibration, name: str) -> Resolved:
    """The number and unit of a tag's path.

    `table.key` is the slot of the value, of a list's or map's first element; `table.key.rows`, `.columns` and `.length`
    (of all elements) are counts, without a unit. Raises KeyError(reason) for an unknown name.
    """
    item = calibration.items.get(name)
    if item is not None:
        return Resolved(item.slot, item.unit)
    base, _, count = name.rpartition(".")
    item = calibration.items.get(base)
    if item is None or count not in _COUNTS:
        raise KeyError(f"the calibration has no {name!r}")
    return Resolved({"rows": item.rows, "columns": item.columns, "length": len(item.values)}[count])

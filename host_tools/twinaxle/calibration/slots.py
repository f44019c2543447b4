"""What a `# cal:` tag in the firmware stands for."""

from twinaxle.calibration.load import Calibration
from twinaxle.errors import UserError

_FIELDS = ("rows", "columns", "length")


def resolve(calibration: Calibration, name: str) -> tuple[int, str]:
    """(number, unit) of a tag's name.

    `table.key` is the slot of the value, of a list's or map's first element; `table.key.rows`, `.columns` and `.length`
    (of all elements) are counts and have the unit "1". Raises UserError for an unknown name.
    """
    item = calibration.items.get(name)
    if item is not None:
        return item.slot, item.unit
    base, _, field = name.rpartition(".")
    item = calibration.items.get(base)
    if item is None or field not in _FIELDS:
        raise UserError(f"the calibration has no {name!r}.")
    return {"rows": item.rows, "columns": item.columns, "length": len(item.values)}[field], "1"

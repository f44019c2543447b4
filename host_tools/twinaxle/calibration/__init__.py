"""Calibration: the numbers of the firmware, from TOML files to the generated module `firmware/vcu/calibration.py`.

A calibration file holds tables (groups) of keys. Each value is an integer in the unit that the key's name ends with
(`apps1_min_mv`), a list of them, or a list of rows (a map). `schema.toml` beside it declares every key with its range
and shape; the order there is the order of the slots, so that all calibrations of one firmware have the same slots.
"""

from twinaxle.calibration.emit import calibration_hash, module_source
from twinaxle.calibration.load import Calibration, Item, load_calibration
from twinaxle.calibration.slots import resolve

__all__ = ["Calibration", "Item", "calibration_hash", "load_calibration", "module_source", "resolve"]

"""Where the project's files lie in its checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
CALIBRATIONS = FIRMWARE / "calibration"
BUILD = ROOT / "build"


def shown(path: Path) -> str:
    """`path` as messages show it: relative to the checkout where it lies inside."""
    try:
        return str(path.resolve().relative_to(ROOT))
    except ValueError:
        return str(path)

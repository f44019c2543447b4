"""The size of the firmware's compiled files on the board, against requirement RT-03."""

from dataclasses import dataclass
from pathlib import Path

from twinaxle.firmware.build import BOARD_MARCH, build_flash
from twinaxle.paths import BUILD, FIRMWARE

MPY_LIMIT_BYTES = 48 * 1024
"""RT-03: all .mpy files together (armv7emsp)."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the flash's files in bytes, sorted by path."""

    files: list[tuple[Path, int]]

    @property
    def mpy_files(self) -> list[tuple[Path, int]]:
        """The compiled files only."""
        return [(path, size) for path, size in self.files if path.suffix == ".mpy"]

    @property
    def mpy_bytes(self) -> int:
        """All compiled files together."""
        return sum(size for _, size in self.mpy_files)

    @property
    def is_within_limit(self) -> bool:
        """RT-03's first half."""
        return self.mpy_bytes <= MPY_LIMIT_BYTES


def measure_sizes(march: str = BOARD_MARCH, firmware: Path = FIRMWARE) -> Sizes:
    """Build for `march` into `build/flash-<march>` and return the sizes. Raises UserError as `build_flash` does."""
    return Sizes(build_flash(BUILD / f"flash-{march}", march, firmware))

"""Fixture `rig`: boards that end with the test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.tests.board.rig import MakeRig, Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[MakeRig]:
    """Makes rigs: rig(program, **options of VirtualBoard)."""
    made: list[Rig] = []

    def make(program: str | None = None, **options: Any) -> Rig:
        flash = tmp_path / "flash"
        flash.mkdir(exist_ok=True)
        one = Rig(flash, program, **options)
        made.append(one)
        return one

    yield make
    for one in made:
        one.board.power_off()

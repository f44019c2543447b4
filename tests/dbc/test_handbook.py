"""The commands in docs/dbc.md give what stands there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from twinaxle.dbc.database import POWERTRAIN
from twinaxle.paths import ROOT

TEXT = (ROOT / "docs" / "dbc.md").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="the examples are for a POSIX shell")
def test_examples(tmp_path: Path) -> None:
    (tmp_path / "dbc").mkdir()
    shutil.copy(POWERTRAIN, tmp_path / "dbc")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    examples = "\n".join(re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL))
    steps = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", examples, re.MULTILINE)
    assert len(steps) >= 7
    for command, output in steps:
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        # Blank lines between two blocks are not part of an output.
        assert done.stdout.rstrip("\n") == output.rstrip("\n"), command

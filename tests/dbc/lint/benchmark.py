"""How long the lint takes for a large file, beside cantools' reading of it: `make bench-dbc`.

The file is the project's own protocol again and again, with new identifiers and names.
"""

import re
import sys
import time
from collections.abc import Callable
from itertools import count

import cantools

from twinaxle.dbc.database import POWERTRAIN
from twinaxle.dbc.lint import lint
from twinaxle.dbc.model import EXTENDED
from twinaxle.dbc.syntax import read_text

LARGE, SMALL = 10e6, 1e6  # bytes; cantools takes minutes for the large one
STEP = 0x1000  # between the identifiers of two copies, which are extended ones
MOST_MESSAGES = 32  # of a copy
# Messages with their signals, comments, attributes and values.
OF_MESSAGES = (r"BO_ | SG_ ", "CM_ (BO_|SG_) ", r'BA_ "\w+" (BO_|SG_) ', "VAL_ ")


def large_dbc(size: float) -> bytes:
    """A good DBC of about `size` bytes."""
    lines = POWERTRAIN.read_text(encoding="ascii").splitlines(keepends=True)
    messages = next(at for at, line in enumerate(lines) if line.startswith("BO_ "))
    head, definitions = lines[:messages], [line for line in lines if line.startswith("BA_DEF")]
    parts = [[line for line in lines if re.match(pattern, line)] for pattern in OF_MESSAGES]
    number = max(1, round(size / sum(map(len, lines))))
    copies = [[_moved("".join(part), copy) for part in parts] for copy in range(number)]
    bodies, comments, attributes, values = ("".join(part) for part in zip(*copies, strict=True))
    return ("".join(head) + bodies + comments + "".join(definitions) + attributes + values).encode("ascii")


def _moved(text: str, copy: int) -> str:
    """The text with other identifiers, message names and DataIDs that have the number of the copy in them."""

    def identifier(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) + STEP * (copy + 1) + EXTENDED}"

    data_ids = count(copy * MOST_MESSAGES)
    text = re.sub(r'(?m)^((?:CM_ |BA_ "\w+" )?(?:BO_|SG_|VAL_) )(\d+)', identifier, text)
    text = re.sub(r'(?m)^(BA_ "VFrameFormat" BO_ \d+) 0;', r"\1 1;", text)
    text = re.sub(r'(?m)^(BA_ "E2eDataId" BO_ \d+) \d+;', lambda found: f"{found[1]} {next(data_ids)};", text)
    return re.sub(r"(?m)^(BO_ \d+ \w+)", rf"\1_{copy}", text)


def seconds(action: Callable[[], object]) -> float:
    """How long an action takes, in processor time."""
    start = time.process_time()
    action()
    return time.process_time() - start


def main() -> None:
    """Measures and prints."""
    large, small = large_dbc(LARGE), large_dbc(SMALL)
    assert lint(read_text(small)) == []
    whole = seconds(lambda: lint(read_text(large)))
    own = seconds(lambda: lint(read_text(small)))
    other = seconds(lambda: cantools.database.load_string(small.decode("ascii"), "dbc", strict=True))
    sys.stdout.write(
        f"lint of {len(large) / 1e6:.1f} MB: {whole:.1f} s\n"
        f"of {len(small) / 1e6:.1f} MB: lint {own:.2f} s, cantools reads it in {other:.2f} s, ratio {other / own:.1f}\n"
    )


if __name__ == "__main__":
    main()

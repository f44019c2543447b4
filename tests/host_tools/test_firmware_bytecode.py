"""Viper functions as plain ones: the same results, the same lines, nothing allocated."""

import subprocess
import sys
from pathlib import Path

import pytest

from twinaxle.dbc import powertrain
from twinaxle.dbc.layout import make_layout
from twinaxle.firmware.build import build_flash
from twinaxle.firmware.bytecode import BYTECODE, without_native
from twinaxle.micropython import find_micropython

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no MicroPython command for Windows on PyPI")

POINTERS = """\
import micropython
from array import array


@micropython.viper
def kernel(source: ptr8, words: ptr32, n: int) -> int:
    '''Every way to use a pointer.'''
    halves = ptr16(words)
    first = int(source)
    total = 0
    for i in range(n):
        byte = ptr8(first + i)
        total = (total << 1) ^ (
            byte[0]
        )
        words[i] = words[i] + source[i]
        words[i] += 0x7F00FF00 - total
        halves[2 * i + 1] = total
        source[i] ^= 0xA5
    return total & 0xFFFFFFF


@micropython.native
def native(a, b):
    return a * b


data = bytearray(range(7, 15))
words = array('i', (i * -77777777 for i in range(8)))


def run():
    micropython.heap_lock()
    result = kernel(data, words, 8)
    micropython.heap_unlock()
    print(result, bytes(data), list(words), native(6, 7))
"""

# Runs the kernels of the real firmware over pseudo-random frames and prints what they make of them
PROTOCOL = """
import struct
from binascii import crc32
from vcu import protocol as p
from vcu import interp
from vcu.calibration import cal
seed = 1
def random():
    global seed
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return seed >> 8
digest = 0
verdicts = {}
record = bytearray(32)
buf = bytearray(8 * p.SENT + 8)
ids = $IDS
def accept(can_id):
    record[:24] = struct.pack("<II8sII", 0x7FF, 8, b"", can_id, 8)
    return p.accept(0, 2, record)
for step in range(300):
    for can_id in ids:
        for i in range(24, 32):
            record[i] = random() & 255
        record[25] = record[25] & 0xF0 | step % 15
        verdict = accept(can_id)
        # try every CRC until the frame is good
        for crc in range(256):
            if verdict != 4:
                break
            record[24] = crc
            verdict = accept(can_id)
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    for i in range(len(p.tx)):
        p.tx[i] = (random() & 0xFFFFF) - 0x80000
    p.pack(random() & ((1 << p.SENT) - 1), buf)
    digest = crc32(buf, digest)
    digest = crc32(p.rx, digest)
    digest = crc32(bytes(p.ages), digest)
    print(p.tick(10), p.due(10), digest)
print(sorted(verdicts.items()))
print([interp.curve(cal, 0, 2, 2, x) for x in range(0, 9000, 501)])
"""


def run(path: Path, cwd: Path) -> str:
    result = subprocess.run([find_micropython().path, path], cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.skipif(find_micropython().architecture is None, reason="no native code to compare with")
def test_every_use_of_a_pointer_gives_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(POINTERS)
    (tmp_path / "b.py").write_text(without_native(POINTERS))
    (tmp_path / "run_a.py").write_text("import a\na.run()\n")
    (tmp_path / "run_b.py").write_text("import b\nb.run()\n")
    native = run(tmp_path / "run_a.py", tmp_path)
    assert native.endswith(" 42\n")
    assert run(tmp_path / "run_b.py", tmp_path) == native


@pytest.mark.skipif(find_micropython().architecture is None, reason="no native code to compare with")
def test_firmware_kernels_give_the_same(tmp_path: Path) -> None:
    ids = [entry.key for entry in make_layout(powertrain(), "VCU").received]
    (tmp_path / "run.py").write_text("import sys\nsys.path.insert(0, '.')\n" + PROTOCOL.replace("$IDS", str(ids)))
    build_flash(tmp_path / "a")
    build_flash(tmp_path / "b", BYTECODE)
    native = run(tmp_path / "run.py", tmp_path / "a")
    assert run(tmp_path / "run.py", tmp_path / "b") == native
    assert "(0, " in native.splitlines()[-2], "no good frame was tried"


def test_lines_outside_viper_functions_stay() -> None:
    plain = without_native(POINTERS).split("\n")
    for number, line in enumerate(POINTERS.split("\n")):
        if line.startswith(("def native", "data =", "def run")):
            assert plain[number] == line


def test_source_without_native_code_stays() -> None:
    assert without_native("x = 1\n") == "x = 1\n"

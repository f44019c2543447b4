"""Which interpreter, how much heap, no allocation by the virtual hardware, determinism."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from hil.board import VirtualBoard, process
from hil.board.interpreter import BOARD_HEAP_BYTES, hardware_heap_bytes
from hil.bus import Bus, Frame
from hil.kernel import Kernel
from hil.tests.board.rig import MakeRig
from twinaxle.errors import UserError
from twinaxle.micropython import find_micropython


def fake(path: Path, text: str) -> Path:
    """A program that says something else than MicroPython would."""
    path.write_text(f"#!/bin/sh\necho '{text}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("says", "message"),
    [("probe micropython 1 24 0 2822", "1.24"), ("probe cpython 3 11 0 0", "cpython"), ("hello", "not a")],
)
def test_wrong_interpreter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, message: str) -> None:
    monkeypatch.setenv("MICROPYTHON", str(fake(tmp_path / "mp", says)))
    kernel = Kernel()
    with pytest.raises(UserError, match=message):
        VirtualBoard(kernel, Bus(kernel).attach("VCU"), tmp_path)


def test_missing_interpreter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROPYTHON", str(tmp_path / "nothing"))
    kernel = Kernel()
    with pytest.raises(UserError, match="nothing"):
        VirtualBoard(kernel, Bus(kernel).attach("VCU"), tmp_path)


def test_missing_flash_is_refused(tmp_path: Path) -> None:
    kernel = Kernel()
    with pytest.raises(UserError, match="flash folder"):
        VirtualBoard(kernel, Bus(kernel).attach("VCU"), tmp_path / "none")


def test_heap_is_as_small_as_the_boards(rig: MakeRig) -> None:
    """As many small objects fit as on the board, to 5 %: a block there has 16 bytes, here 32."""
    bench = rig(
        """
        import gc
        gc.collect()
        things = [None]
        n = 0
        try:
            while True:
                things = (things, n)   # two words and a head: one block on the board, one here
                n += 1
        except MemoryError:
            things = None
            print(n)
        """
    )
    bench.start()
    bench.run_ms(30)
    blocks = BOARD_HEAP_BYTES / (16 + 1 / 4)  # a quarter byte of allocation table each
    assert int(bench.text) == pytest.approx(blocks, rel=0.05)


def test_bytecode_in_flash_is_taken_off_the_heap(rig: MakeRig, tmp_path: Path) -> None:
    program = "import gc\ngc.collect()\nprint(gc.mem_free())\n"
    plain = rig(program)
    plain.start()
    plain.run_ms(30)
    (tmp_path / "flash" / "big.mpy").write_bytes(bytes(20_000))
    loaded = rig(program)
    loaded.start()
    loaded.run_ms(30)
    assert int(plain.text) - int(loaded.text) == pytest.approx(10_000, abs=300)


def test_virtual_hardware_leaves_most_of_its_own_share_unused() -> None:
    assert 10_000 < hardware_heap_bytes(find_micropython().path) < 100_000


LOCKED = """
    import gc, machine, micropython, time
    can = machine.CAN(1, 500_000)
    can.set_filters(None)
    pin = machine.Pin("X1", machine.Pin.OUT)
    adc = machine.ADC("X19")
    wdt = machine.WDT(timeout=200)
    message = [0, memoryview(bytearray(16)), 0, 0]
    counters = [0] * 8
    data = bytearray(8)
    due = [0]
    frames = [0]
    def on_frame(c):
        while c.irq().flags() & 2:
            c.recv(message)
            frames[0] += 1
    def beat(t):
        due[0] += 1
    can.irq(on_frame, trigger=can.IRQ_RX, hard=True)
    timer = machine.Timer(period=10, callback=beat, hard=True)
    soft = machine.Timer(period=7, callback=beat)
    gc.collect()
    def loop():
        n = 0
        while n < 100:
            if due[0]:
                due[0] = 0
                n += 1
                now = time.ticks_us()
                time.ticks_diff(time.ticks_ms(), now)
                can.send(0x80, data)
                can.send(0x81, data)
                can.state()
                can.get_counters(counters)
                pin.value(n & 1)
                pin.on()
                pin.off()
                adc.read_u16()
                wdt.feed()
                time.sleep_us(50)
                if n == 50:
                    can.recv(message)
                    can.restart()
                    can.cancel_send(0)
                    time.sleep_ms(3)
            machine.idle()
    before = gc.mem_alloc()
    overhead = gc.mem_alloc() - before
    micropython.heap_lock()
    loop()
    micropython.heap_unlock()
    print("done", frames[0])
"""


def test_nothing_allocates_in_the_run_state(rig: MakeRig) -> None:
    """Everything that a tick may use works while the heap is locked, so that a MemoryError is always the firmware's."""
    bench = rig(LOCKED)
    bench.start()
    for i in range(100):
        bench.burst_at_us(1_500 + 9_700 * i, *(Frame(0x100 + j, bytes(8)) for j in range(4)))
    bench.run_ms(1100)
    word, frames = bench.text.split()
    assert word == "done"
    assert int(frames) > 100


def test_two_runs_are_equal(rig: MakeRig) -> None:
    logs = []
    for _ in range(2):
        bench = rig(LOCKED, clock_ppm=17.0)
        bench.start()
        for i in range(100):
            bench.burst_at_us(1_500 + 9_700 * i, *(Frame(0x100 + j, bytes(8)) for j in range(4)))
        bench.run_ms(1100)
        logs.append((bench.sent, bench.board.console))
    assert logs[0] == logs[1]


def test_one_round_trip_a_tick(rig: MakeRig) -> None:
    """The wire is quiet: from the time that the firmware's habits are known, one exchange for each 10 ms tick."""
    bench = rig(
        """
        import machine
        can = machine.CAN(1, 500_000)
        can.set_filters(((0x100, 0x700, 0),))
        message = [0, memoryview(bytearray(16)), 0, 0]
        def on_frame(c):
            while c.irq().flags() & 2:
                c.recv(message)
        can.irq(on_frame, trigger=can.IRQ_RX, hard=True)
        due = 0
        def beat(t):
            global due
            due += 1
        machine.Timer(period=10, callback=beat, hard=True)
        while True:
            if due:
                due = 0
                can.send(0x80, b"12345678")
            machine.idle()
        """
    )
    bench.start()
    for i in range(300):
        bench.burst_at_us(1_500 + 5_000 * i, *(Frame(0x100 + j, bytes(8)) for j in range(4)))
    bench.run_ms(500)
    before = bench.board.round_trips
    bench.run_ms(1000)
    assert bench.board.round_trips - before <= 105
    assert len(bench.sent) == pytest.approx(150, abs=2)


def test_processor_affinity_is_given_back(rig: MakeRig) -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system has no processor affinity")
    before = os.sched_getaffinity(0)
    bench = rig("import machine\nwhile True:\n    machine.idle()\n")
    bench.start()
    bench.run_ms(5)
    assert len(os.sched_getaffinity(0)) == 1
    bench.board.power_off()
    assert os.sched_getaffinity(0) == before


def test_power_off_ends_the_process_and_can_be_repeated(rig: MakeRig) -> None:
    bench = rig("import machine\nwhile True:\n    machine.idle()\n")
    bench.start()
    bench.run_ms(5)
    pid = bench.board.process_id
    assert pid is not None
    os.kill(pid, 0)
    bench.board.power_off()
    bench.board.power_off()
    assert bench.board.process_id is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_processes_side_by_side_take_processors_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as beside:
        assert beside.submit(process.place).result(timeout=60) == process.place() + 1

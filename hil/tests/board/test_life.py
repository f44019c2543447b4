"""Power, resets, the watchdog, hangs, the end of the firmware."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hil.board import BoardHung, ResetCause
from hil.board.board import BOOT_NS
from hil.bus import Frame
from hil.tests.board.rig import MakeRig

MS = 1_000_000

CAUSE = """
    import machine
    print("cause", machine.reset_cause())
"""


def test_power_on_runs_boot_then_main_in_one_namespace(rig: MakeRig, tmp_path: Path) -> None:
    bench = rig("print('main', x, __name__)")
    (tmp_path / "flash" / "boot.py").write_text("x = 5\nprint('boot')\n")
    bench.start()
    assert not bench.board.alive
    bench.run_ms(10)
    assert bench.board.alive
    assert bench.text == "boot\nmain 5 __main__\n"
    assert bench.board.main_ended == 0


def test_flash_is_the_only_file_system(rig: MakeRig) -> None:
    bench = rig(
        """
        import os, sys
        print(os.getcwd(), os.listdir("/"), sys.path)
        try:
            os.stat("/etc")
        except OSError as error:
            print("no", error.errno)
        """
    )
    bench.start()
    bench.run_ms(10)
    assert bench.text == "/flash ['flash'] ['', '.frozen', '/flash', '/flash/lib']\nno 19\n"


def test_console_lines_carry_the_bench_time(rig: MakeRig) -> None:
    bench = rig("import time\nprint('a')\ntime.sleep_ms(50)\nprint('b')")
    bench.start()
    bench.run_ms(100)
    first, second = bench.board.console
    assert first.text == "a"
    assert second.time_ns - first.time_ns == pytest.approx(50 * MS, abs=0.1 * MS)


def test_exception_is_printed_and_told(rig: MakeRig) -> None:
    bench = rig("def f():\n    return 1 // 0\nf()\n")
    bench.start()
    bench.run_ms(10)
    assert bench.board.main_ended == 1
    assert 'File "main.py", line 2, in f' in bench.text
    assert "ZeroDivisionError" in bench.text
    assert bench.board.alive  # at the REPL


def test_interrupts_go_on_after_main_has_ended(rig: MakeRig) -> None:
    bench = rig(
        """
        from machine import Timer
        n = 0
        def on_timer(t):
            global n
            n += 1
            print(n)
        timer = Timer(period=10, callback=on_timer)
        """
    )
    bench.start()
    bench.run_ms(55)
    assert bench.board.main_ended == 0
    assert bench.text == "1\n2\n3\n4\n5\n"


@pytest.mark.parametrize(
    ("call", "cause"),
    [("machine.reset()", ResetCause.HARD), ("machine.soft_reset()", ResetCause.SOFT), ("sys.exit()", ResetCause.SOFT)],
)
def test_firmware_resets_itself(rig: MakeRig, call: str, cause: ResetCause) -> None:
    bench = rig(
        f"""
        import machine, sys, time
        print("cause", machine.reset_cause())
        time.sleep_ms(5)
        if machine.reset_cause() == 1:
            {call}
        """
    )
    bench.start()
    bench.run_ms(400)
    assert bench.board.reset_cause is cause
    assert bench.board.reset_count == 1
    assert bench.text == f"cause 1\ncause {int(cause)}\n"


def test_reset_lets_the_outputs_fall(rig: MakeRig) -> None:
    bench = rig(
        """
        import machine, time
        if machine.reset_cause() == 1:
            machine.Pin("X1", machine.Pin.OUT, value=1)
            time.sleep_ms(20)
            machine.reset()
        """
    )
    levels: list[tuple[int, bool]] = []
    bench.board.on_output("X1", lambda level: levels.append((bench.kernel.now_ns, level)))
    bench.start()
    bench.run_ms(300)
    assert [level for _, level in levels] == [True, False]
    assert levels[1][0] - levels[0][0] == pytest.approx(20 * MS, abs=0.2 * MS)


WATCHDOG = """
    import machine, time
    print("cause", machine.reset_cause())
    wdt = machine.WDT(timeout=200)
    for _ in range(10):
        time.sleep_ms(100)
        wdt.feed()
    print("enough")
    while True:
        {}
"""


@pytest.mark.parametrize("spin", ["machine.idle()", "time.ticks_us()", "time.sleep_ms(10)"])
def test_watchdog_bites_200_ms_after_the_last_feed(rig: MakeRig, spin: str) -> None:
    bench = rig(WATCHDOG.format(spin))
    bench.start()
    bench.until("enough", 1200)
    fed_ns = bench.board.console[-1].time_ns
    bench.run_ms(190)
    assert bench.board.reset_count == 0
    bench.run_ms(15)
    assert bench.board.reset_count == 1
    bench.run_ms(200)
    assert bench.board.reset_cause is ResetCause.WATCHDOG
    assert bench.board.console[-1].text == "cause 3"
    assert bench.board.console[-1].time_ns - fed_ns == pytest.approx(200 * MS + BOOT_NS, abs=2 * MS)


def test_watchdog_follows_its_own_oscillator(rig: MakeRig) -> None:
    bench = rig("import machine\nmachine.WDT(timeout=200)\nwhile True:\n    machine.idle()\n", watchdog_hz=47_000)
    bench.start()
    bench.run_ms(134)
    assert bench.board.reset_count == 0
    bench.run_ms(4)
    assert bench.board.reset_count == 1


def test_firmware_that_hangs_is_reset_by_the_watchdog_in_bench_time(rig: MakeRig) -> None:
    bench = rig(
        """
        import machine
        print("cause", machine.reset_cause())
        if machine.reset_cause() == 1:
            machine.Pin("X1", machine.Pin.OUT, value=1)
            machine.WDT(timeout=200)
            while True:
                pass
        """,
        hang_s=0.5,
    )
    bench.start()
    bench.run_ms(150)
    assert bench.board.hung
    assert bench.board.output("X1")  # nobody lets it fall before the reset
    bench.run_ms(60)
    assert not bench.board.hung
    assert bench.board.reset_count == 1
    assert not bench.board.output("X1")
    bench.run_ms(200)
    assert bench.text == "cause 1\ncause 3\n"


def test_hang_without_watchdog_is_an_error(rig: MakeRig) -> None:
    bench = rig("print('here')\nwhile True:\n    pass\n", hang_s=0.3)
    bench.start()
    with pytest.raises(BoardHung, match=r"computes without end .*(\n.*)*here"):
        bench.run_ms(10)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the processor time of another process")
def test_firmware_that_gets_no_processor_does_not_hang(rig: MakeRig) -> None:
    """As on a busy machine: its process stands still for longer than the limit."""
    bench = rig("import time\nwhile True:\n    time.sleep_ms(1)\n", hang_s=1.0)  # its start computes for some 50 ms
    bench.start()
    bench.run_ms(10)
    pid = bench.board.process_id
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    timer = threading.Timer(2.5, os.kill, (pid, signal.SIGCONT))
    timer.start()
    bench.run_ms(10)
    timer.join()
    assert not bench.board.hung
    assert bench.board.alive


def test_power_cut_keeps_the_flash_and_ends_the_process(rig: MakeRig) -> None:
    bench = rig(
        """
        import machine, time
        try:
            n = int(open("count.txt").read())
        except OSError:
            n = 0
        print("starts", n, machine.reset_cause())
        with open("count.txt", "w") as f:
            f.write(str(n + 1))
        machine.Pin("X2", machine.Pin.OUT, value=1)
        can = machine.CAN(1, 500_000)
        while True:
            time.sleep_ms(1)
            can.send(0x100, b"12345678")
        """
    )
    bench.start()
    bench.run_ms(20)
    pid = bench.board.process_id
    assert bench.board.output("X2")
    bench.board.power_off()
    assert not bench.board.alive
    assert not bench.board.output("X2")
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    count = len(bench.sent)
    bench.run_ms(100)
    assert len(bench.sent) <= count
    bench.board.power_on()
    bench.run_ms(200)
    assert bench.text == "starts 0 1\nstarts 1 1\n"
    assert len(bench.sent) > count


STUBBORN = """
import machine
while True:
    try:
        machine.idle()
    except BaseException:
        pass
"""
STARTER = """
import sys, time
from pathlib import Path
from hil.board import VirtualBoard
from hil.bus import Bus
from hil.kernel import Kernel
kernel = Kernel()
board = VirtualBoard(kernel, Bus(kernel).attach("VCU"), Path(sys.argv[1]))
board.power_on()
kernel.run_until(200_000_000)
print(board.process_id, flush=True)
time.sleep(60)
"""


def test_firmware_does_not_outlive_a_killed_bench(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(STUBBORN)
    with subprocess.Popen([sys.executable, "-c", STARTER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as bench:
        assert bench.stdout is not None
        pid = int(bench.stdout.readline())
        os.kill(pid, 0)
        bench.kill()
    deadline_s = time.monotonic() + 60
    while not _is_gone(pid):
        assert time.monotonic() < deadline_s, "it lives on"
        time.sleep(0.02)


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # Ended, but nobody has waited for it yet: whoever took it over from the bench will.
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_ctrl_c_stops_the_program_unless_switched_off(rig: MakeRig) -> None:
    bench = rig(
        """
        import micropython, time
        micropython.kbd_intr(-1)
        time.sleep_ms(50)
        print("deaf for 50 ms")
        micropython.kbd_intr(3)
        while True:
            time.sleep_ms(10)
        """
    )
    bench.start()
    bench.run_ms(20)
    bench.board.ctrl_c()
    bench.run_ms(50)
    assert bench.board.main_ended is None
    bench.board.ctrl_c()
    bench.run_ms(5)
    assert bench.board.main_ended == 1
    assert "KeyboardInterrupt" in bench.text


def test_board_in_reset_does_not_acknowledge(rig: MakeRig) -> None:
    bench = rig("import machine\nmachine.CAN(1, 500_000)\n")
    bench.start()
    bench.partner.send(Frame(0x100, b""))
    bench.run_ms(0.5)
    assert bench.partner.tec > 0
    bench.run_ms(20)
    assert bench.partner.tec == 0 or bench.partner.pending == 0


def test_crystal_drift(rig: MakeRig) -> None:
    bench = rig(
        """
        import time
        from machine import Timer
        Timer(period=1000, callback=lambda t: print(time.ticks_ms()))
        """,
        clock_ppm=1000.0,
    )
    bench.start()
    bench.run_ms(2005)
    times = [line.time_ns for line in bench.board.console]
    assert times[1] - times[0] == pytest.approx(1e9 / 1.001, abs=1e4)

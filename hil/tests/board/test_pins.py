"""Pins and the analogue inputs."""

import pytest

from hil.tests.board.rig import MakeRig
from twinaxle.errors import UserError

MS = 1_000_000


def test_inputs_reach_the_firmware(rig: MakeRig) -> None:
    bench = rig(
        """
        import machine, time
        pin = machine.Pin("X3", machine.Pin.IN, machine.Pin.PULL_DOWN)
        inverted = machine.Signal(pin, invert=True)
        for _ in range(4):
            print(pin.value(), inverted.value(), end=" ")
            time.sleep_ms(10)
        """
    )
    bench.start()
    bench.at_board_us(15_000, lambda: bench.board.set_input("X3", True))
    bench.at_board_us(25_000, lambda: bench.board.set_input("X3", False))
    bench.run_ms(60)
    assert bench.text == "0 1 0 1 1 0 0 1 "


def test_pin_interrupt(rig: MakeRig) -> None:
    bench = rig(
        """
        import machine, time
        def on_edge(pin):
            print("edge", pin(), time.ticks_us() // 1000)
        machine.Pin("X3", machine.Pin.IN).irq(on_edge, machine.Pin.IRQ_RISING)
        time.sleep_ms(50)
        """
    )
    bench.start()
    bench.at_board_us(15_000, lambda: bench.board.set_input("X3", True))
    bench.at_board_us(25_000, lambda: bench.board.set_input("X3", False))
    bench.run_ms(60)
    assert bench.text == "edge 1 15\n"


def test_level_set_before_power_on_is_there(rig: MakeRig) -> None:
    bench = rig("import machine\nprint(machine.Pin('X3', machine.Pin.IN).value(), machine.ADC('X19').read_u16())\n")
    bench.board.set_input("X3", True)
    bench.board.set_adc("X19", 1650)
    bench.start()
    bench.run_ms(10)
    level, reading = map(int, bench.text.split())
    assert level == 1
    assert reading == pytest.approx(65535 / 2, abs=32)


def test_outputs(rig: MakeRig) -> None:
    bench = rig(
        """
        import machine, time
        enable = machine.Signal("X1", machine.Pin.OUT, value=0)
        time.sleep_ms(10)
        enable.on()
        time.sleep_ms(10)
        enable.off()
        """
    )
    edges: list[tuple[int, bool]] = []
    bench.board.on_output("X1", lambda level: edges.append((bench.kernel.now_ns, level)))
    bench.start()
    bench.run_ms(60)
    assert [level for _, level in edges] == [True, False]
    assert edges[1][0] - edges[0][0] == pytest.approx(10 * MS, abs=0.2 * MS)


def test_pin_that_does_not_exist(rig: MakeRig) -> None:
    bench = rig("")
    with pytest.raises(UserError, match="no pin 'Q7'"):
        bench.board.set_input("Q7", True)


def test_only_an_output_drives_its_pin(rig: MakeRig) -> None:
    """Firmware that forgets to make its enable line an output must not get torque here either."""
    bench = rig(
        """
        import machine, time
        enable = machine.Pin("X1")
        enable.on()
        time.sleep_ms(10)
        enable.init(machine.Pin.OUT)
        """
    )
    edges: list[tuple[int, bool]] = []
    bench.board.on_output("X1", lambda level: edges.append((bench.kernel.now_ns, level)))
    bench.start()
    bench.run_ms(9)
    assert edges == []
    bench.run_ms(10)
    assert [level for _, level in edges] == [True]


def test_an_input_that_is_driven_from_outside_does_not_read_its_pull(rig: MakeRig) -> None:
    bench = rig(
        """
        import machine, time
        pin = machine.Pin("X3", machine.Pin.IN, machine.Pin.PULL_UP)
        pin.irq(lambda p: print("edge", p.value()), machine.Pin.IRQ_FALLING)
        print(pin.value())
        time.sleep_ms(20)
        print(pin.value())
        """
    )
    bench.start()
    bench.at_board_us(5_000, lambda: bench.board.set_input("X3", False))
    bench.run_ms(30)
    assert bench.text.split() == ["1", "edge", "0", "0"]

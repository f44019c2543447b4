"""The controller on a real (virtual) bus: mailboxes, FIFOs, latencies, bus-off."""

import pytest

from hil.board.board import BOOT_NS
from hil.bus import ErrorState, Frame
from hil.tests.board.rig import MakeRig

MS = 1_000_000
FRAME_US = 250  # about, 8 bytes at 500 kbit/s

DRAIN = """
    import machine, time
    can = machine.CAN(1, 500_000)
    can.set_filters(((0x100, 0x700, 0),))
    message = [0, memoryview(bytearray(16)), 0, 0]
    seen = []
    def on_frame(c):
        while c.irq().flags() & 2:
            c.recv(message)
            {}
"""


def firmware(handler: str, rest: str) -> str:
    from textwrap import dedent

    return dedent(DRAIN).format(handler) + dedent(rest)


def test_lower_ids_leave_first_and_a_running_frame_is_not_stopped(rig: MakeRig) -> None:
    bench = rig(
        """
        import machine, time
        can = machine.CAN(1, 500_000)
        time.sleep_ms(10)
        can.send(0x300, bytes(8))
        time.sleep_us(100)
        print([can.send(0x200, bytes(8)), can.send(0x100, bytes(8)), can.send(0x050, bytes(8))])
        """
    )
    bench.start()
    bench.run_ms(20)
    assert bench.text == "[1, 2, None]\n"
    assert [frame.can_id for _, frame in bench.sent] == [0x300, 0x100, 0x200]


def test_equal_ids_leave_by_mailbox_number(rig: MakeRig) -> None:
    bench = rig(
        """
        import machine, time
        can = machine.CAN(1, 500_000)
        time.sleep_ms(10)
        can.send(0x050, b"first")
        can.send(0x300, b"one", can.FLAG_UNORDERED)
        can.send(0x300, b"two", can.FLAG_UNORDERED)
        """
    )
    bench.start()
    bench.run_ms(20)
    assert [frame.data for _, frame in bench.sent] == [b"first", b"one", b"two"]


def test_higher_mailbox_number_waits_for_an_equal_id(rig: MakeRig) -> None:
    bench = rig(
        """
        import machine, time
        can = machine.CAN(1, 500_000)
        time.sleep_ms(10)
        can.send(0x050, b"short")         # mailbox 0, on the wire at once
        can.send(0x051, bytes(8))         # mailbox 1
        can.send(0x300, b"two", 16)       # mailbox 2
        time.sleep_us(300)                # mailbox 0 is free again, 0x051 on the wire
        print(can.send(0x300, b"zero", 16))
        """
    )
    bench.start()
    bench.run_ms(20)
    assert bench.text == "0\n"
    assert [frame.data for _, frame in bench.sent][2:] == [b"zero", b"two"]


def test_board_loses_arbitration_to_a_lower_id(rig: MakeRig) -> None:
    bench = rig(
        """
        import machine, time
        can = machine.CAN(1, 500_000)
        time.sleep_ms(10)
        can.send(0x300, bytes(8))
        """
    )
    order: list[str] = []
    bench.bus.tap(lambda time_ns, frame, sender: order.append(sender))
    bench.start()
    bench.burst_at_us(10_000, *(Frame(0x100 + i, bytes(8)) for i in range(3)))
    bench.run_ms(20)
    assert order == ["PARTNER"] * 3 + ["VCU"]


def test_hard_handler_sees_every_frame_at_its_time(rig: MakeRig) -> None:
    bench = rig(
        firmware(
            "seen.append((message[0], time.ticks_us())) if len(seen) < 6 else None",
            """
            from array import array
            times = array("i", [0] * 8)
            n = 0
            def on_frame(c):
                global n
                while c.irq().flags() & 2:
                    c.recv(message)
                    times[n] = time.ticks_us()
                    n += 1
            can.irq(on_frame, trigger=can.IRQ_RX, hard=True)
            time.sleep_ms(30)
            print(list(times))
            """,
        )
    )
    ends: list[int] = []
    bench.bus.tap(lambda time_ns, frame, sender: ends.append(time_ns))
    bench.start()
    for time_us in (5000, 9000, 9050, 9100, 14000):
        bench.burst_at_us(time_us, Frame(0x123, bytes(8)))
    bench.run_ms(40)
    seen = eval(bench.text)[:5]  # a list of numbers that the board printed
    expected = [(end - 150 * MS) / 1000 for end in ends]
    assert len(expected) == 5
    # At the end of the frame plus a few looks at the hardware, 2 us each.
    assert all(0 <= shown - end <= 12 for shown, end in zip(seen, expected, strict=True)), (seen, expected)


def test_frames_during_a_long_wait_overrun_without_handler(rig: MakeRig) -> None:
    bench = rig(
        firmware(
            "pass",
            """
            can.irq(None, trigger=can.IRQ_RX)
            time.sleep_ms(20)
            print(can.get_counters()[6:], [can.recv(message)[0] for _ in range(3)])
            """,
        )
    )
    bench.start()
    bench.burst_at_us(3000, *(Frame(0x100 + i, bytes(8)) for i in range(7)))
    bench.run_ms(30)
    assert bench.text == "[3, 1] [256, 257, 262]\n"


def test_hard_handler_drains_seven_frames_back_to_back(rig: MakeRig) -> None:
    bench = rig(
        firmware(
            "count[0] += 1",
            """
            count = [0]
            can.irq(on_frame, trigger=can.IRQ_RX, hard=True)
            time.sleep_ms(20)
            print(count, can.get_counters()[6:])
            """,
        )
    )
    bench.start()
    bench.burst_at_us(3000, *(Frame(0x100 + i, bytes(8)) for i in range(7)))
    bench.run_ms(30)
    assert bench.text == "[7] [0, 0]\n"


def test_soft_handler_is_late_while_a_callback_computes(rig: MakeRig) -> None:
    """A soft callback that takes 3 ms holds up the soft receive handler: the FIFO overruns, as on the board."""
    program = firmware(
        "count[0] += 1",
        """
        count = [0]
        def busy(t):
            start = time.ticks_us()
            while time.ticks_diff(time.ticks_us(), start) < 3000:
                pass
        can.irq(on_frame, trigger=can.IRQ_RX, hard={hard})
        machine.Timer(mode=machine.Timer.ONE_SHOT, period=10, callback=busy)
        time.sleep_ms(30)
        print(count, can.get_counters()[7] > 0)
        """,
    )
    for hard, expected in (("False", "[3] True\n"), ("True", "[7] False\n")):
        bench = rig(program.replace("{hard}", hard))
        bench.start()
        bench.burst_at_us(10_200, *(Frame(0x100 + i, bytes(8)) for i in range(7)))
        bench.run_ms(50)
        assert bench.text == expected, hard


TICK = """
    import machine, time
    can = machine.CAN(1, 500_000)
    can.set_filters(None)
    pin = machine.Pin("X1", machine.Pin.OUT)
    def tick(t):
        begin = time.ticks_us()
        pin.value(1)
        can.send(0x80, bytes(8))
        end = time.ticks_us()
        print(time.ticks_diff(end, begin), begin % 10_000)
    machine.Timer(period=10, callback=tick, hard={})
    while True:
        machine.idle()
"""


@pytest.mark.parametrize("cost_us", [100, 800])
def test_computing_time_of_a_tick_is_charged(rig: MakeRig, cost_us: int) -> None:
    bench = rig(TICK.format("False"), tick_cost_us=cost_us)
    ups: list[int] = []
    bench.board.on_output("X1", lambda level: ups.append(bench.kernel.now_ns))
    bench.start()
    bench.run_ms(15)
    tick_ns = 160 * MS
    assert ups == [tick_ns + cost_us * 1000]
    end_ns, frame = bench.sent[0]
    assert frame.can_id == 0x80
    assert end_ns - tick_ns - cost_us * 1000 == pytest.approx(FRAME_US * 1000, abs=25_000)
    took_us, phase_us = map(int, bench.text.split())
    assert cost_us - 2 <= took_us <= cost_us + 2
    assert phase_us <= 2


@pytest.mark.parametrize("sleep", ["sleep_ms(2)", "sleep_us(1500)"])
def test_what_follows_a_sleep_is_computed_too(rig: MakeRig, sleep: str) -> None:
    bench = rig(
        f"""
        import machine, time
        pin = machine.Pin("X1", machine.Pin.OUT)
        time.{sleep}
        pin.value(1)
        print(time.ticks_us())
        """,
        rx_cost_us=70,
    )
    ups: list[int] = []
    bench.board.on_output("X1", lambda level: ups.append(bench.kernel.now_ns))
    bench.start()
    bench.run_ms(5)
    (up_us,) = ((up - BOOT_NS) / 1000 for up in ups)
    assert 70 <= up_us - (2000 if "ms" in sleep else 1500) <= 90
    assert int(bench.text) == pytest.approx(up_us, abs=4)


def test_a_collection_takes_the_processor(rig: MakeRig) -> None:
    """Frames are received meanwhile, by the hard handler; the program goes on 10 ms later."""
    bench = rig(
        firmware(
            "print(time.ticks_ms())",
            """
            import gc
            can.set_filters(None)
            can.irq(on_frame, trigger=can.IRQ_RX, hard=True)
            pin = machine.Pin("X1", machine.Pin.OUT)
            gc.collect()
            pin.value(1)
            while True:
                machine.idle()
            """,
        )
    )
    ups: list[int] = []
    bench.board.on_output("X1", lambda level: ups.append(bench.kernel.now_ns))
    bench.start()
    bench.burst_at_us(4_000, Frame(0x100, bytes(8)))
    bench.run_ms(15)
    assert bench.text.split() == ["4"]
    assert ups[0] - BOOT_NS == pytest.approx(10_000_000, abs=200_000)


def test_interrupts_during_a_tick_delay_its_outputs(rig: MakeRig) -> None:
    bench = rig(TICK.format("False"), tick_cost_us=1000, rx_cost_us=100)
    bench.start()
    bench.burst_at_us(9_900, *(Frame(0x100 + i, bytes(8)) for i in range(3)))
    ups: list[int] = []
    bench.board.on_output("X1", lambda level: ups.append(bench.kernel.now_ns))
    bench.run_ms(15)
    assert ups == [160 * MS + 1_000_000 + 3 * 100_000]


def test_answer_from_the_interrupt_is_not_held_back(rig: MakeRig) -> None:
    """The first answers and, after they have become rare, the later ones leave right after the request."""
    bench = rig(
        firmware(
            "can.send(0x7E8, message[1]) if message[0] == 0x7E0 - 0x600 else None",
            """
            can.set_filters(((0, 0, 0),))
            can.irq(on_frame, trigger=can.IRQ_RX, hard=True)
            machine.Timer(period=10, callback=lambda t: can.send(0x80, b""))
            while True:
                machine.idle()
            """,
        )
    )
    requests: list[int] = []
    answers: list[int] = []

    def tap(time_ns: int, frame: Frame, sender: str) -> None:
        if frame.can_id == 0x1E0:
            requests.append(time_ns)
        elif frame.can_id == 0x7E8:
            answers.append(time_ns)

    bench.bus.tap(tap)
    bench.start()
    for i in range(200):
        bench.burst_at_us(2_000 + 5_000 * i, Frame(0x100, bytes(8)))
    for i in range(10):
        bench.burst_at_us(3_333 + 97_000 * i, Frame(0x1E0, bytes(8)))
    bench.run_ms(1100)
    delays = [answer - request for request, answer in zip(requests, answers, strict=True)]
    assert len(delays) == 10
    assert max(delays) < 800_000, delays
    assert bench.board.late_outputs == 0


def test_output_out_of_the_past_is_late_and_counted(rig: MakeRig) -> None:
    """An id that was quiet for long and then causes an output: that one is late, by less than 10 ms, and is
    reported.
    """
    bench = rig(
        firmware(
            "can.send(0x700, b'') if message[1][0] else None",
            """
            can.irq(on_frame, trigger=can.IRQ_RX, hard=True)
            machine.Timer(period=10, callback=lambda t: None)
            while True:
                machine.idle()
            """,
        )
    )
    bench.start()
    for i in range(100):
        data = b"\1" if i in (80, 82) else b"\0"
        bench.burst_at_us(2_000 + 5_000 * i, Frame(0x100, data))
    bench.run_ms(600)
    sent = [time_ns / 1000 - 150_000 for time_ns, _ in bench.sent]
    assert bench.board.late_outputs == 1
    assert 402_000 < sent[0] < 412_000
    assert 412_000 < sent[1] < 412_800


def test_state_and_counters_follow_the_bus(rig: MakeRig) -> None:
    bench = rig(
        """
        import machine, time
        can = machine.CAN(1, 500_000)
        time.sleep_ms(10)
        can.send(0x100, bytes(8))
        time.sleep_ms(50)
        print(can.state(), can.get_counters())
        """
    )
    bench.partner.online = False
    bench.start()
    bench.run_ms(100)
    assert bench.text == "3 [128, 0, 1, 1, 0, 1, 0, 0]\n"
    assert bench.bus.ports["VCU"].state is ErrorState.PASSIVE


def test_wrong_bit_rate_stays_off_the_bus(rig: MakeRig) -> None:
    bench = rig("import machine, time\ncan = machine.CAN(1, 250_000)\ntime.sleep_ms(5)\nprint(can.send(0x100, b''))\n")
    bench.start()
    bench.run_ms(50)
    assert bench.text == "0\n"
    assert not bench.sent


def test_deinit_takes_the_board_off_the_bus(rig: MakeRig) -> None:
    bench = rig(
        "import machine, time\ncan = machine.CAN(1, 500_000)\ntime.sleep_ms(10)\ncan.deinit()\nprint(can.state())\n"
    )
    bench.start()
    bench.run_ms(20)
    assert bench.text == "0\n"
    assert not bench.bus.ports["VCU"].online

"""What the screen shows, as text and styles."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sniff.conftest import ENGINE, EXTENDED, Frames, Session, frame
from twinaxle.dbc import powertrain
from twinaxle.dbc.codec import codec
from twinaxle.e2e import Protector
from twinaxle.sniff.glyphs import ASCII
from twinaxle.sniff.spans import Line, Span, Style, clip, pad, width
from twinaxle.sniff.table import Shows
from twinaxle.sniff.view import layout


def spans_of(session: Session, name: str) -> list[Span]:
    (line,) = [line for line in layout(session.viewer, 160, 40) if f" {name} " in line.text]
    return list(line.spans)


def styled(session: Session, name: str, style: Style) -> list[str]:
    """The texts of one style in the line of a message."""
    return [span.text.strip() for span in spans_of(session, name) if span.style is style and span.text.strip()]


def test_a_line_has_identifier_name_rate_cycle_verdict_data_and_signals(session: Session, engine: Frames) -> None:
    for n in range(20):
        session.hear(*engine([n / 10 + m / 100 for m in range(10)]))
    words = session.line("Engine").split()
    assert words[:9] == ["▸", "00000100"[-3:], "Engine", "0ms", "200", "100.0", "10.00", "0.00", "10"]
    assert words[9] == "ok"
    assert words[11:18] == ["14", "C8", "00", "3C", "00", "00", "00"] or words[10] != "ok"
    assert "Mode On  Speed 100.0 rpm  Oil 20 degC" in session.line("Engine")


def test_the_header_stands_above_its_columns(session: Session, engine: Frames) -> None:
    session.hear(*engine([0.0, 0.01]), frame(0.01, EXTENDED, "00000000"))
    lines = session.lines()
    header = next(line for line in lines if "Name" in line)
    row = session.line("Engine")
    for title, text in (("Name", "Engine"), ("E2E", "ok"), ("Signals", "Mode On")):
        assert header.index(title) == row.index(text)
    for title, text in (("Cycle", "10.00"), ("DBC", "10 ok"), ("Age", "0ms")):
        assert header.index(title) + len(title) == row.index(text) + len(text.split()[0])


@pytest.mark.parametrize(
    ("counters", "verdict", "bad", "lost"),
    [((0, 1), "ok", "", ""), ((0, 1, 1), "rep", "1", ""), ((0, 2), "lost", "", "1"), ((0, 5), "seq", "1", "4")],
)
def test_the_verdict_on_the_counter(
    session: Session, counters: tuple[int, ...], verdict: str, bad: str, lost: str
) -> None:
    for n, counter in enumerate(counters):
        session.hear(frame(n / 100, ENGINE, Protector(0x100, counter).protect(bytes(8))))
    words = session.line("Engine").split("10 ", 1)[1].split()
    expected = [word for word in (verdict, bad, lost) if word]
    assert words[: len(expected)] == expected
    good = verdict in ("ok", "lost")
    assert (verdict in styled(session, "Engine", Style.GOOD)) == good
    assert any(verdict in text for text in styled(session, "Engine", Style.BAD)) == (not good)


def test_a_late_message_is_red_and_counted(session: Session, engine: Frames) -> None:
    session.hear(*engine([0.0, 0.01]), now_s=0.05)
    assert not styled(session, "Engine", Style.BAD)
    session.hear(now_s=0.5)
    assert "100 Engine" in styled(session, "Engine", Style.BAD)
    assert "490ms" in styled(session, "Engine", Style.BAD)
    assert "1 late" in session.text()


def test_changed_bytes_and_signals_are_highlighted_but_not_crc_and_counter(session: Session) -> None:
    protector = Protector(0x100)
    session.hear(*[frame(n / 100, ENGINE, protector.protect(bytes(8))) for n in range(2)])
    assert styled(session, "Engine", Style.CHANGED) == []
    session.hear(frame(0.02, ENGINE, protector.protect(bytes.fromhex("0000C80000000000"))))
    assert styled(session, "Engine", Style.CHANGED) == ["C8", "100.0 rpm"]


def test_an_opened_message_shows_statistics_bits_and_each_signal(session: Session, engine: Frames) -> None:
    session.hear(*engine([0.0, 0.01, 0.03]), frame(0.04, ENGINE, "FF" * 8))
    session.press("^J")
    text = session.text()
    assert "▾ 100 Engine" in text
    assert "ECU to PANEL  every 10 ms  missing after 50 ms" in text
    assert "cycle 10.00 to 20.00 ms" in text
    assert "good 3  wrong CRC 1" in text
    assert "bits 11111111 11111111" in text
    assert session.line("     Mode ").split() == ["Mode", "15", "raw", "15", "outside", "0", "to", "2"]
    assert session.line("     Speed ").split()[:3] == ["Speed", "-0.5", "rpm"]
    assert session.line("     Speed ").endswith("Speed of the engine.")
    session.press("^J")
    assert "missing after" not in session.text()


def test_an_unknown_message_shows_its_bits(session: Session) -> None:
    session.hear(frame(0.0, 0x123, "01"), frame(0.1, 0x123, "A0"))
    session.press("^J")
    assert "cycle 100.0 to 100.0 ms" in session.text()
    assert session.line("     bits ").split() == ["bits", "10100000"]


def test_wrong_lengths_and_undecodable_messages_say_so(session: Session) -> None:
    session.hear(frame(0.0, 0x400, bytes(8)))
    session.press("^J")
    assert "8 bytes; Long has 64" in session.text()


def test_unknown_identifiers_remote_frames_and_channels(session: Session, engine: Frames) -> None:
    session.hear(
        *engine([0.0]), frame(0.1, 0x123, "0102", channel="can1"), frame(0.1, ENGINE, "", is_remote_frame=True)
    )
    assert session.line(" 123 unknown ").split()[:4] == ["▸", "can1", "123", "unknown"]
    assert "Engine (remote)" in session.text()
    assert "1 unknown" in session.text()
    assert "1 not heard" in session.text()


def test_the_status_tells_load_errors_silence_and_the_adapter(session: Session) -> None:
    for n in range(1, 31):
        session.hear(*[frame(n / 10 + m / 200, 0x123, bytes(8)) for m in range(20)])
    assert "200.0 frames/s" in session.text()
    assert "500 kbit/s" in session.text()
    session.hear(frame(3.2, 0x204, "0008000000006007", is_error_frame=True))
    assert "  1 error frames (controller, transmit warning)  1 unknown  TEC 96 REC 7" in session.text()
    session.source.words = "adapter passive"
    session.hear(now_s=6.2)
    assert "silent for 3.0s" in session.text()
    assert "adapter passive" in session.text()


def test_a_bus_that_has_gone_is_said_and_the_table_stays(session: Session, engine: Frames) -> None:
    session.hear(*engine([0.0, 0.01]))
    session.source.problem = "the bench has ended"
    assert "no bus" in session.text()
    assert "the bench has ended  o connects again" in session.lines()[-1]
    assert session.line("Engine")


def test_nothing_heard_and_nothing_passing(session: Session, engine: Frames) -> None:
    assert "nothing heard yet" in session.text()
    session.hear(*engine([0.0]))
    session.viewer.set_filter("700")
    assert "none of 1 messages passes the filter" in session.text()


def car_frame(name: str, time_s: float = 0.0, **values: float) -> object:
    message = powertrain().messages[name]
    data = codec(name).pack(**values)
    return frame(time_s, message.frame_id, Protector(message.e2e.data_id).protect(data) if message.e2e else data)


def drive(car: Session, time_s: float = 0.0) -> None:
    frames = [
        car_frame("VcuStatus", time_s, State=4, TorqueDemand=300, TorqueGranted=250, RearShare=60, LimitReason=4),
        car_frame("PedalsDriver", time_s, Apps1=2500, Apps2=1250, Gear=3, BrakePressure=0),
        car_frame("BmsPack", time_s, PackVoltage=400, PackCurrent=250),
        car_frame("VcuInvFrontCommand", time_s, TorqueRequest=165),
        car_frame("VcuInvRearCommand", time_s, TorqueRequest=-33),
        car_frame("InvFrontStatus", time_s, State=3, TorqueActual=165, Speed=4000),
        car_frame("InvRearStatus", time_s, State=5, TorqueActual=-165, Speed=4100),
    ]
    car.hear(*frames)  # type: ignore[arg-type]


def test_the_strip_shows_both_axles(car: Session) -> None:
    assert "demand" not in car.text()
    drive(car)
    first, front, rear = car.lines()[:3]
    assert " ".join(first.split()) == (
        "Drive D pedal █████····· 50 % brake 0 bar demand 300.0 Nm granted 250.0 Nm rear 60 % power 100.0 kW "
        "limit StatorTemp fault None"
    )
    assert front.split() == [
        "Front", "·" * 24 + "│" + "█" * 12 + "·" * 12, "165.0", "Nm", "request", "165.0", "Nm", "speed", "4000", "rpm",
        "Torque",
    ]  # fmt: skip
    assert rear.split()[1] == "·" * 12 + "█" * 12 + "│" + "·" * 24
    assert rear.split()[-1] == "Fault"


def test_the_strip_says_when_an_axle_is_silent(car: Session) -> None:
    drive(car)
    car.hear(car_frame("VcuStatus", 1.0, State=4), now_s=1.01)  # type: ignore[arg-type]
    front = car.lines()[1]
    assert front.split()[1:3] == ["·" * 24 + "│" + "·" * 24, "-"]
    assert front.endswith("no frames for 1.0s")
    assert styled(car, "InvFrontStatus", Style.GOOD) == []


def test_the_strip_is_one_line_on_a_low_terminal_and_gone_on_a_lower_one(car: Session) -> None:
    drive(car)
    assert ["Front" in line for line in car.lines(height=13)[:2]] == [False, True]
    assert "demand" in car.lines(height=8)[0] and "Front  " not in car.text(height=8)
    assert "demand" not in car.text(height=5)


def test_another_dbc_has_no_strip(session: Session, engine: Frames) -> None:
    session.hear(*engine([0.0]))
    assert session.viewer.strip is None
    assert "test bus" in session.lines()[0]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 200), st.integers(1, 60), st.sampled_from(Shows), st.booleans(), st.booleans())
def test_no_line_is_longer_than_the_terminal(columns: int, rows: int, shows: Shows, is_open: bool, helps: bool) -> None:
    car = Session(powertrain())
    drive(car)
    car.hear(frame(0.1, EXTENDED, bytes(8), channel="another channel"), frame(0.1, 0x7FF, bytes(64), is_fd=True))
    car.viewer.shows = shows
    if is_open:
        car.press("e", "KEY_END")
    if helps:
        car.press("h")
    lines = layout(car.viewer, columns, rows)
    assert len(lines) == rows
    assert max(width(line.spans) for line in lines) <= columns


def test_columns_give_way_on_a_narrow_terminal(session: Session, engine: Frames) -> None:
    session.hear(*engine([0.0, 0.01]))
    header = {columns: next(line for line in session.lines(columns) if "ID" in line) for columns in (160, 80, 40, 24)}
    assert "Jitter" in header[160] and "Signals" in header[160]
    assert "Jitter" not in header[80] and "E2E" in header[80] and "Data" in header[80]
    assert header[40].split() == ["ID", "Name", "Data"]
    assert "100 Engine" in session.text(24)


def test_the_content_can_be_signals_or_data_alone(session: Session, engine: Frames) -> None:
    session.hear(*engine([0.0, 0.01]))
    assert "C8 00 3C" in session.line("Engine", 68) and "Mode On" not in session.line("Engine", 68)
    session.press("d")
    assert "C8 00 3C" not in session.line("Engine", 68) and "Mode On" in session.line("Engine", 68)
    session.press("d")
    assert "C8 00 3C" in session.line("Engine") and "Mode On" not in session.line("Engine")


def test_a_terminal_without_utf_8_gets_ascii(car: Session) -> None:
    drive(car)
    car.viewer.glyphs = ASCII
    assert car.viewer.strip
    car.viewer.strip._glyphs = ASCII
    car.press("e")
    assert car.text(70).isascii()
    assert "####" in car.lines()[1]


def test_control_characters_reach_no_terminal(session: Session) -> None:
    session.source.title = "evil\x1b[2J"
    session.hear(frame(0.0, 0x123, "", channel="a\nb"), frame(0.0, 0x123, "", channel="b"))
    assert all(line.isprintable() for line in session.lines())


@settings(deadline=None)
@given(st.lists(st.builds(Span, st.text("ab ", max_size=5), st.sampled_from(Style)), max_size=6), st.integers(0, 20))
def test_clipping_keeps_the_beginning(spans: list[Span], columns: int) -> None:
    text = Line(tuple(spans)).text
    assert Line(clip(spans, columns)).text == text[:columns]
    assert Line(pad(spans, columns)).text == text[:columns].ljust(columns)
    marked = Line(clip(spans, columns, "~")).text
    if len(text) <= columns:
        assert marked == text
    elif columns:
        assert marked == text[: columns - 1] + "~"

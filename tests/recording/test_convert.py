"""Conversion between all formats, held against python-can's own readers; what a format lacks is said."""

from __future__ import annotations

import gzip
from pathlib import Path

import can
import numpy as np
import pytest

from tests.logs.conftest import frames
from twinaxle.cli import main
from twinaxle.dbc.codec import codec
from twinaxle.dbc.database import powertrain
from twinaxle.e2e import Protector
from twinaxle.errors import UserError
from twinaxle.recording.convert import Selection, convert
from twinaxle.recording.formats import LACKS, traits
from twinaxle.recording.mf4 import write_mf4

FORMATS = (".blf", ".asc", ".csv", ".db", ".log", ".trc", ".mf4", ".asc.gz")
START_S = 1_700_000_000.25

Seen = tuple[float, int, bool, bool, bool, int, bytes]


def write(path: Path, messages: list[can.Message]) -> Path:
    """A log by python-can's own writer."""
    with can.Logger(path) as writer:
        for message in messages:
            writer(message)
    return path


def read(path: Path) -> list[can.Message]:
    """A log by python-can's own reader."""
    if path.suffix == ".gz":
        return list(can.ASCReader(gzip.open(path, "rt"), relative_timestamp=False))
    return list(can.LogReader(path, **({"relative_timestamp": False} if path.suffix == ".asc" else {})))


def ordinary(count: int = 300) -> list[can.Message]:
    """Frames that every format holds."""
    messages = [message for message in frames(3 * count) if not (message.is_error_frame or message.is_remote_frame)]
    for index, message in enumerate(messages):
        message.channel, message.is_rx, message.timestamp = 0, True, START_S + index * 0.001
    return messages[:count]


def content(messages: list[can.Message]) -> list[tuple[int, bool, bytes]]:
    return [(message.arbitration_id, message.is_extended_id, bytes(message.data)) for message in messages]


def skip_without_asammdf(*suffixes: str) -> None:
    if ".mf4" in suffixes:
        pytest.importorskip("asammdf")


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
def test_every_format_to_every_other(tmp_path: Path, source: str, target: str) -> None:
    skip_without_asammdf(source, target)
    messages = ordinary(60)
    path = tmp_path / f"out{target}"
    made = tmp_path / f"in{source}"
    if source == ".db":  # python-can's own writer drops what waits when it stops
        convert([write(tmp_path / "first.blf", messages)], made, Selection())
    else:
        write(made, messages)
    result = convert([made], path, Selection())
    assert (result.read, result.written, dict(result.left_out), result.notes) == (60, 60, {}, [])
    found = read(path)
    assert content(found) == content(messages)
    # TRC has tenths of a ms, ASC ms for the start.
    apart = [message.timestamp - original.timestamp for message, original in zip(found, messages, strict=True)]
    assert max(map(abs, apart)) < 0.0015
    steps = np.diff([message.timestamp for message in found])
    np.testing.assert_allclose(steps, 0.001, atol=2e-4)


@pytest.mark.parametrize("source", [".blf", ".asc", ".mf4"])
@pytest.mark.parametrize("target", [".blf", ".mf4"])
def test_all_traits_survive_in_bulk(tmp_path: Path, source: str, target: str) -> None:
    """Error and remote frames, channels, directions."""
    skip_without_asammdf(source, target)
    made = write(tmp_path / f"in{source}", frames(500))
    originals = read(made)
    assert len(originals) == 500
    assert {trait for message in originals for trait in traits(message)} == {"remote", "error", "sent", "channel"}
    convert([made], tmp_path / f"out{target}", Selection())
    found = read(tmp_path / f"out{target}")
    for message, original in zip(found, originals, strict=True):
        assert message.timestamp == pytest.approx(original.timestamp, abs=2e-6)
        names = ["is_remote_frame", "is_error_frame", "channel"]
        if not original.is_error_frame:  # which has neither content nor direction
            names += ["is_rx", "arbitration_id", "is_extended_id", "dlc", "data"]
        assert [getattr(message, name) for name in names] == [getattr(original, name) for name in names]


@pytest.mark.parametrize("target", [".csv", ".db", ".log", ".trc", ".asc"])
def test_what_a_format_lacks_is_counted_and_true(tmp_path: Path, target: str) -> None:
    made = write(tmp_path / "in.blf", frames(400))
    originals = read(made)
    result = convert([made], tmp_path / f"out{target}", Selection())
    lacks = LACKS.get(target, {})
    expected = {
        lack.what: sum(trait in traits(message) for message in originals)
        for trait, lack in lacks.items()
        if trait != "fd"
    }
    assert dict(result.left_out) == expected
    dropped = {trait for trait, lack in lacks.items() if lack.is_frame}
    kept = [message for message in originals if not dropped & set(traits(message))]
    found = read(tmp_path / f"out{target}")
    assert result.written == len(kept)
    pairs = list(zip(found, kept, strict=True))
    assert all(message.is_error_frame == original.is_error_frame for message, original in pairs)
    assert all(message.is_remote_frame == original.is_remote_frame for message, original in pairs)
    data = [(message.is_rx, original.is_rx) for message, original in pairs if not original.is_error_frame]
    assert any(is_rx != was_rx for is_rx, was_rx in data) == ("sent" in lacks)


def test_fd_frames_go_through(tmp_path: Path) -> None:
    messages = [
        *ordinary(5),
        can.Message(timestamp=START_S + 1, arbitration_id=1, is_fd=True, data=bytes(24), channel=0),
    ]
    made = write(tmp_path / "in.asc", messages)
    for target in (".blf", ".log"):
        convert([made], tmp_path / f"out{target}", Selection())
        found = read(tmp_path / f"out{target}")
        assert len(found) == 6 and found[-1].is_fd and len(found[-1].data) == 24
    with pytest.raises(UserError, match="CAN FD frames cannot be decoded"):
        pytest.importorskip("asammdf")
        convert([made], tmp_path / "out.mf4", Selection(), decode_by=powertrain())
    result = convert([made], tmp_path / "out.trc", Selection())
    assert dict(result.left_out) == {"CAN FD frames": 1}


@pytest.mark.parametrize("target", [".blf", ".log"])
def test_merge_by_time(tmp_path: Path, target: str) -> None:
    """Both the way in bulk and the one by messages."""
    messages = ordinary(100)
    odd = write(tmp_path / "odd.asc", messages[1::2])
    even = write(tmp_path / "even.blf", messages[::2])
    convert([even, odd], tmp_path / f"out{target}", Selection(by_log=True))
    found = read(tmp_path / f"out{target}")
    assert content(found) == content(messages)
    from can.util import channel2int

    assert [channel2int(message.channel) for message in found] == [0, 1] * 50


@pytest.mark.parametrize("target", [".blf", ".log"])
def test_selection(tmp_path: Path, target: str) -> None:
    messages = ordinary(100)
    for index, message in enumerate(messages):
        message.arbitration_id, message.is_extended_id, message.channel = 0x100 + index % 5, index % 2 == 1, index % 2
    made = write(tmp_path / "in.blf", messages)

    def numbers(selection: Selection) -> list[int]:
        path = tmp_path / f"out{target}"
        convert([made], path, selection)
        kept = [round((message.timestamp - START_S) * 1000) for message in can.LogReader(path)]
        path.unlink()
        return kept

    assert numbers(Selection(start_s=0.01, end_s=0.02)) == list(range(10, 21))
    assert numbers(Selection(channel=1)) == list(range(1, 100, 2))
    key = 0x103 | 1 << 31
    assert numbers(Selection(keys=frozenset({key}))) == list(range(3, 100, 10))
    assert numbers(Selection(without=frozenset({key}))) == [index for index in range(100) if index % 10 != 3]


def test_decoded_mf4(tmp_path: Path) -> None:
    """Signals with units, names of values and the very numbers of the codec."""
    asammdf = pytest.importorskip("asammdf")
    command, status = codec("VcuInvFrontCommand"), codec("InvFrontStatus")
    protector = Protector(0x80)
    torques = [-320.5, 0.0, 12.3, 330.0]
    messages = []
    for index, torque in enumerate(torques):
        data = protector.protect(command.pack(TorqueRequest=torque, Mode=2))
        messages.append(
            can.Message(timestamp=START_S + index * 0.01, arbitration_id=0x80, is_extended_id=False, data=data)
        )
        data = status.pack(State=3 + index % 3)
        messages.append(
            can.Message(timestamp=START_S + index * 0.01, arbitration_id=0x100, is_extended_id=False, data=data)
        )
    made = write(tmp_path / "in.blf", messages)
    path = tmp_path / "out.mf4"
    convert([made], path, Selection(), comment="DBC powertrain.dbc", decode_by=powertrain())
    assert len(read(path)) == len(messages)  # the frames are there as well
    with asammdf.MDF(path) as mdf:
        assert "DBC powertrain.dbc" in mdf.header.comment
        groups = [group.channel_group.acq_name for group in mdf.groups]
        torque = mdf.get("TorqueRequest", group=groups.index("VcuInvFrontCommand"))
        assert torque.samples == pytest.approx(torques)
        assert torque.unit == "Nm"
        assert torque.timestamps == pytest.approx([0.0, 0.01, 0.02, 0.03])
        state = mdf.get("State", group=groups.index("InvFrontStatus"))
        assert state.samples.tolist() == [b"Torque", b"Discharge", b"Fault", b"Torque"]


def test_a_damaged_log_gives_what_is_readable_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = write(tmp_path / "in.blf", ordinary(200))
    made.write_bytes(made.read_bytes()[:-400])
    assert main(["convert", str(made), str(tmp_path / "out.mf4")]) == 0 if _has_asammdf() else True
    capsys.readouterr()
    for name in ("out.blf", "out.asc"):
        assert main(["convert", str(made), str(tmp_path / name)]) == 0
        assert "is truncated" in capsys.readouterr().err
        assert 0 < len(read(tmp_path / name)) < 200
    with_fd = [*ordinary(200), can.Message(timestamp=START_S + 9, is_fd=True, data=bytes(12)), *ordinary(200)]
    made = write(tmp_path / "fd.blf", with_fd)
    made.write_bytes(made.read_bytes()[:-400])
    assert main(["convert", str(made), str(tmp_path / "fd.log")]) == 0
    assert "is truncated" in capsys.readouterr().err
    assert 100 < len(read(tmp_path / "fd.log")) < 401


def test_behind_a_damaged_piece_it_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with can.BLFWriter(tmp_path / "in.blf", max_container_size=2000) as writer:
        for message in ordinary(300):
            writer(message)
    content = bytearray((tmp_path / "in.blf").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 100] = bytes(100)
    (tmp_path / "in.blf").write_bytes(content)
    assert main(["convert", str(tmp_path / "in.blf"), str(tmp_path / "out.log")]) == 0
    assert "damaged" in capsys.readouterr().err
    found = [message.timestamp - START_S for message in read(tmp_path / "out.log")]
    assert 200 <= len(found) < 300 and found[-1] == pytest.approx(0.299, abs=1e-5)


def test_a_failed_conversion_leaves_the_old_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.asc").write_bytes(b"\xff\xfe\x00nothing")
    (tmp_path / "out.log").write_text("of value")
    assert main(["convert", str(tmp_path / "bad.asc"), str(tmp_path / "out.log"), "--overwrite"]) == 2
    assert "bad.asc: cannot be read: it holds bytes that are no text" in capsys.readouterr().err
    assert (tmp_path / "out.log").read_text() == "of value"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.asc", "out.log"]


def _has_asammdf() -> bool:
    try:
        import asammdf  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.blf", "out.blf"], "none.blf: there is no such log"),
        (["none.asc", "out.asc"], "none.asc: there is no such log"),
        (["in.blf", "out.xyz"], "the end of the name tells the format"),
        (["in.blf", "in.blf"], "in.blf: exists; name another file or say --overwrite"),
        (["in.blf", "in.blf", "--overwrite"], "in.blf: is an input too"),
        (["in.blf", "out.blf", "--decode"], "only MF4 holds decoded signals"),
        (["in.blf", "out.blf", "--ids", "Pedal"], "Pedal is no identifier, message or node; did you mean PEDALS"),
        (["bad.asc", "out.log"], "bad.asc: cannot be read"),
        (["bad.blf", "out.mf4"], "bad.blf: is not a BLF file"),
        (["in.blf", "out.blf", "--file-kwargs", "x"], "write NAME=VALUE"),
    ],
)
def test_mistakes_leave_no_output(
    tmp_path: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in.blf", ordinary(10))
    (tmp_path / "bad.asc").write_bytes(b"\xff\xfe\x00nothing")
    (tmp_path / "bad.blf").write_bytes(b"nothing")
    if "out.mf4" in arguments:
        pytest.importorskip("asammdf")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["convert", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_ids_by_number_message_and_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [message.frame_id for message in powertrain().messages.values()] + [0x7AB]
    messages = [
        can.Message(timestamp=START_S + index * 0.001, arbitration_id=can_id, is_extended_id=False, data=bytes(8))
        for index, can_id in enumerate(ids)
    ]
    made = write(tmp_path / "in.blf", messages)
    assert main(["convert", str(made), str(tmp_path / "out.log"), "--ids", "BMS,0x7AB", "--ids", "PedalsDriver"]) == 0
    found = {message.arbitration_id for message in read(tmp_path / "out.log")}
    assert found == {0x120, 0x121, 0x122, 0x7AB, 0xA0}
    assert f"5 of {len(messages)} frames" in capsys.readouterr().out


def test_mf4_without_its_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from twinaxle.logs.read import table_of

    monkeypatch.setitem(sys.modules, "asammdf", None)
    with pytest.raises(UserError, match=r"pip install 'twinaxle\[mf4\]'"):
        write_mf4(tmp_path / "x.mf4", table_of(ordinary(3)))

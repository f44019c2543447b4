"""`twinaxle decode`: every layout and format holds what cantools decodes."""

import gzip
from pathlib import Path
from typing import Any

import can
import cantools
import pyarrow.parquet as pq
import pytest

from tests.decode.conftest import Run, drive, frame, table, write_blf
from twinaxle.cli import main
from twinaxle.dbc import powertrain
from twinaxle.dbc.database import POWERTRAIN
from twinaxle.e2e import Checker

Row = tuple[float, str, dict[str, Any]]


def expected(names: bool = False, scaling: bool = True) -> list[Row]:
    """Time, message and values of each frame that the DBC describes, by cantools."""
    database = cantools.database.load_file(POWERTRAIN)
    rows = []
    for message in drive():
        if message.is_error_frame or message.is_remote_frame or message.arbitration_id == 0x6AB:
            continue
        parsed = database.get_message_by_frame_id(message.arbitration_id)
        values = parsed.decode(message.data, decode_choices=names, scaling=scaling, allow_truncated=True)
        rows.append((message.timestamp, parsed.name, dict(values)))
    return rows


def text(value: Any) -> str:
    """A value as CSV has it."""
    return str(value) if not isinstance(value, float) else repr(value)


@pytest.mark.parametrize("options", [[], ["--names"], ["--raw"]])
def test_a_table_for_each_message(log: Path, run: Run, tmp_path: Path, options: list[str]) -> None:
    said = run("decode", log, "-o", tmp_path / "out", *options)
    assert "401 of 404 frames" in said
    found = {path.stem: table(path.read_text()) for path in (tmp_path / "out").iterdir()}
    for row in (row for rows in found.values() for row in rows):
        row["time_s"] = f"{float(row['time_s']):.3f}"
    wanted: dict[str, list[dict[str, str]]] = {}
    for time_s, name, values in expected("--names" in options, "--raw" not in options):
        row = {"time_s": f"{time_s:.3f}", "channel": "0"}
        row |= {signal.name: text(values.get(signal.name, "")) for signal in powertrain().messages[name].signals}
        wanted.setdefault(name, []).append(row)
    assert found == wanted


def test_one_wide_table_in_the_order_of_the_log(log: Path, run: Run) -> None:
    rows = table(run("decode", log))
    wanted = expected()
    assert len(rows) == len(wanted)
    for row, (time_s, name, values) in zip(rows, wanted, strict=True):
        filled = {key: value for key, value in row.items() if value and key not in ("time_s", "channel")}
        assert filled == {f"{name}.{signal}": text(value) for signal, value in values.items()}
        assert float(row["time_s"]) == pytest.approx(time_s, abs=1e-6)


def test_one_long_table(log: Path, run: Run) -> None:
    rows = table(run("decode", log, "--layout", "long", "--names"))
    found = [(row["message"], row["signal"], row["value"], row["name"]) for row in rows]
    numbers, named = expected(), expected(names=True)
    wanted = [
        (name, signal, text(value), str(names[signal]) if isinstance(names[signal], Named) else "")
        for (_, name, values), (_, _, names) in zip(numbers, named, strict=True)
        for signal, value in values.items()
    ]
    assert found == wanted


Named = cantools.database.namedsignalvalue.NamedSignalValue


@pytest.mark.parametrize("layout", ["messages", "wide", "long", "every"])
@pytest.mark.parametrize("options", [[], ["--names"], ["--raw", "--e2e"]])
def test_parquet_holds_what_csv_holds(log: Path, run: Run, tmp_path: Path, layout: str, options: list[str]) -> None:
    if layout == "every" and "--e2e" in options:
        options = ["--raw"]
    shape = ["--every", "7.5"] if layout == "every" else ["--layout", layout]
    if layout == "messages":
        run("decode", log, "-o", tmp_path / "p", "--format", "parquet", *shape, *options)
        run("decode", log, "-o", tmp_path / "c", *shape, *options)
        pairs = [(path, tmp_path / "c" / f"{path.stem}.csv") for path in (tmp_path / "p").iterdir()]
        assert len(pairs) == len(list((tmp_path / "c").iterdir())) == len(powertrain().messages)
    else:
        pairs = [(tmp_path / "t.parquet", tmp_path / "t.csv")]
        for path in pairs[0]:
            run("decode", log, "-o", path, *shape, *options)
    for parquet, csv_path in pairs:
        rows = table(csv_path.read_text())
        typed = pq.read_table(parquet).to_pylist()
        assert len(rows) == len(typed) > 0
        for row, one in zip(rows, typed, strict=True):
            assert [*row][1:] == [*one][1:]
            assert round(float(row.pop("time_s")) * 1e6) == round(one.pop("time_ns") / 1e3)
            for name, value in row.items():
                there = one[name]
                if there is None:
                    assert value == ""
                elif isinstance(there, str):
                    assert value == there
                else:
                    assert float(value) == there


def test_parquet_carries_types_and_units(log: Path, run: Run, tmp_path: Path) -> None:
    run("decode", log, "InvFrontStatus", "-o", tmp_path / "t.parquet")
    schema = pq.read_schema(tmp_path / "t.parquet")
    speed, torque = schema.field("InvFrontStatus.Speed"), schema.field("InvFrontStatus.TorqueActual")
    assert (str(speed.type), str(torque.type)) == ("int64", "double")
    assert torque.metadata[b"unit"] == b"Nm"


def test_signals_are_chosen_by_pattern(log: Path, run: Run) -> None:
    header = run("decode", log, "Inv*Status.Speed", "Soc", "VcuTiming").splitlines()[0].split(",")
    assert header[2:5] == ["InvFrontStatus.Speed", "InvRearStatus.Speed", "BmsLimits.Soc"]
    assert [name.split(".")[0] for name in header[5:]] == ["VcuTiming"] * 6


def test_a_range_of_time(log: Path, run: Run) -> None:
    rows = table(run("decode", log, "--from", "0.0995", "--to", "0.2005"))
    assert [float(row["time_s"]) - 1.7e9 for row in (rows[0], rows[-1])] == pytest.approx([0.1, 0.2], abs=1e-6)
    assert len(rows) == 101


def test_signals_at_equal_steps_hold_their_value(tmp_path: Path, run: Run) -> None:
    counter = [frame(at, 0x131, at.to_bytes(8, "little"), 0.0) for at in (0, 10, 20, 30)]
    late = frame(15, 0x132, bytes(8), 0.0)
    path = write_blf(tmp_path / "log.blf", [counter[0], counter[2], counter[1], late, counter[3]])
    rows = table(run("decode", path, "TickTimeMax", "ProtocolHash", "--every", "5"))
    assert [row["VcuTiming.TickTimeMax"] for row in rows] == ["0", "0", "10", "10", "20", "20", "30"]
    assert [row["VcuIdentity.ProtocolHash"] for row in rows] == ["", "", "", "0", "0", "0", "0"]
    rows = table(run("decode", path, "TickTimeMax", "--every", "10", "--from", "0.01", "--to", "0.02"))
    assert [row["VcuTiming.TickTimeMax"] for row in rows] == ["10", "20"]


def test_verdicts_come_from_the_whole_log(tmp_path: Path, run: Run) -> None:
    messages = [one for one in drive() if not (one.is_error_frame or one.is_remote_frame)]
    messages += [messages[200], messages[200]]
    messages[30].data[3] ^= 1
    rows = table(run("decode", write_blf(tmp_path / "log.blf", messages), "--e2e", "--from", "0.0995"))
    checkers = {
        one.frame_id: Checker(one.e2e.data_id, 2, one.length) for one in powertrain().messages.values() if one.e2e
    }
    wanted = []
    for message in messages:
        checker = checkers.get(message.arbitration_id)
        verdict = checker.check(bytes(message.data)).name if checker else ""
        if message.arbitration_id != 0x6AB and message.timestamp >= 1.7e9 + 0.0995:
            wanted.append(verdict)
    assert [row["e2e"] for row in rows] == wanted
    assert "REPEATED" in wanted and "OK" in wanted and "INITIAL" not in wanted


def test_what_is_left_out_is_said(log: Path, run: Run, tmp_path: Path) -> None:
    run("decode", log, "-o", tmp_path / "t.csv")
    err = run.err  # type: ignore[attr-defined]
    assert "1 frames with identifiers that the DBC does not have: 0x6AB" in err
    assert "1 frames of InvFrontStatus are shorter" in err


def test_a_truncated_log_is_decoded_and_said(log: Path, run: Run) -> None:
    log.write_bytes(log.read_bytes()[:-500])
    rows = table(run("decode", log))
    assert 200 < len(rows) < 401
    assert "warning" in run.err and "truncated" in run.err  # type: ignore[attr-defined]


def test_digits_and_gzip(log: Path, run: Run, tmp_path: Path) -> None:
    run("decode", log, "TorqueRequest", "-o", tmp_path / "t.csv.gz", "--digits", "5")
    with gzip.open(tmp_path / "t.csv.gz", "rt") as file:
        cells = [cell for row in table(file.read()) for name, cell in row.items() if "Torque" in name and cell]
    assert cells and max(len(cell.lstrip("-").replace(".", "")) for cell in cells) <= 5


def test_other_dbc_with_long_and_multiplexed_messages(tmp_path: Path, run: Run) -> None:
    dbc = tmp_path / "other.dbc"
    dbc.write_text(
        'VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: A B\n\nBO_ 2566848513 Fd: 16 A\n SG_ First : 0|8@1+ (1,0) [0|0] "" B\n'
        ' SG_ Last : 120|8@1+ (1,0) [0|0] "" B\n\nBO_ 5 Mux: 2 A\n SG_ Sel M : 0|8@1+ (1,0) [0|0] "" B\n'
        ' SG_ Cold m0 : 8|8@1- (1,0) [0|0] "a,b" B\n SG_ Warm m1 : 8|8@1+ (0.5,0) [0|0] "" B\n\n'
        'VAL_ 5 Warm 2 "one, two" 4 "say ""x""" ;\n'.replace('""x""', "x")
    )
    path = write_blf(
        tmp_path / "log.blf",
        [frame(0, 5, b"\0\xff"), frame(1, 5, b"\1\2"), frame(2, 5, b"\1\3"), frame(3, 5, b"\7\3"),
         can.Message(timestamp=1.7e9 + 0.004, arbitration_id=0x18FF0001, data=b"\x11", channel=0)],
    )  # fmt: skip
    rows = table(run("decode", path, "--dbc", dbc, "--names"))
    values = [[row[name] for name in ("Fd.First", "Fd.Last", "Mux.Sel", "Mux.Cold", "Mux.Warm")] for row in rows]
    assert values == [
        ["", "", "0", "-1", ""], ["", "", "1", "", "one, two"], ["", "", "1", "", "1.5"], ["", "", "7", "", ""],
        ["17", "", "", "", ""],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["TorqueRequst"], "no signal or message TorqueRequst; did you mean TorqueRequest"),
        (["VcuStatus.Stat"], "message VcuStatus has no signal Stat; did you mean State"),
        (["VcuStats.State"], "no message VcuStats; did you mean VcuStatus"),
        (["-o", "x.xlsx"], "x.xlsx: unknown suffix .xlsx: .csv, .csv.gz and .parquet are known"),
        (["-o", "x", "--layout", "wide"], "the wide layout is one file"),
        (["-o", "x.csv", "--layout", "messages"], "is a folder"),
        (["-o", "x.csv", "--format", "parquet"], "the suffix says csv"),
        (["--format", "parquet"], "standard output"),
        (["--every", "0"], "--every"),
        (["--every", "0.0000001"], "--every"),
        (["-o", "x", "--every", "10"], "--every makes one table"),
        (["--digits", "0"], "--digits"),
        (["-o", "/dev/null/x.csv"], "/dev/null/x.csv: cannot be written: /dev/null is not a folder"),
        (["--dbc", "none.dbc"], "none.dbc: cannot read"),
    ],
)
def test_errors_say_what_to_do(log: Path, run: Run, args: list[str], message: str) -> None:
    assert message in run("decode", log, *args, code=2)


@pytest.mark.parametrize("option", ["--every", "--from", "--to"])
@pytest.mark.parametrize("value", ["nan", "inf", "one"])
def test_what_is_no_number(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["decode", "drive.blf", option, value])
    assert f"argument {option}: {value!r} is no number" in capsys.readouterr().err


def test_a_time_without_frames_is_said(log: Path, run: Run) -> None:
    run("decode", log, "--from", "50")
    assert "no data frame lies between --from and --to" in run.err  # type: ignore[attr-defined]


def test_an_empty_log(tmp_path: Path, run: Run) -> None:
    path = write_blf(tmp_path / "log.blf", [])
    assert len(run("decode", path, "VcuStatus").splitlines()) == 1
    assert "0 of 0 frames" in run("decode", path, "-o", tmp_path / "out")
    assert "0 of 0 frames" in run("decode", path, "-o", tmp_path / "t.parquet", "--every", "10")

"""`twinaxle check` as a user runs it: exit codes, outputs, errors; a live bus; other databases."""

from __future__ import annotations

import json
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import can
import can.interfaces.virtual
import pytest

from tests.judge.conftest import Forge, Judge
from twinaxle.cli import main
from twinaxle.dbc.database import load_database, powertrain
from twinaxle.e2e import Protector
from twinaxle.judge.config import Config
from twinaxle.judge.judge import judge
from twinaxle.logs.read import table_of

PLAIN = """VERSION ""

BS_:

BU_: ECU

BO_ 291 Plain: 2 ECU
 SG_ Level : 7|8@0+ (1,0) [0|100] "%" Vector__XXX
 SG_ Kind : 15|8@0+ (1,0) [0|255] "" Vector__XXX

BO_ 292 Sometimes: 1 ECU
 SG_ Flag : 0|1@1+ (1,0) [0|1] "" Vector__XXX

BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;
BA_DEF_ BO_ "GenMsgSendType" ENUM "Cyclic","CyclicIfActive","CyclicAndSpontaneous","NoMsgSendType";
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_DEF_DEF_ "GenMsgSendType" "NoMsgSendType";
BA_ "GenMsgCycleTime" BO_ 291 20;
BA_ "GenMsgSendType" BO_ 291 0;
BA_ "GenMsgCycleTime" BO_ 292 20;
BA_ "GenMsgSendType" BO_ 292 1;
VAL_ 291 Kind 255 "not available" ;
"""


def test_a_good_log(drive_log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(drive_log)]) == 0
    assert "checks passed" in capsys.readouterr().out.splitlines()[-1]


def test_a_broken_log_gives_1_and_all_outputs(forge: Forge, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "broken.blf"
    forge.table.data[forge.rows("BmsLimits", 1.0)[0], 4] ^= 0x10
    with can.Logger(log) as writer:
        for row in range(len(forge.table)):
            writer(
                can.Message(
                    timestamp=forge.table.time_ns[row] * 1e-9,
                    arbitration_id=int(forge.table.can_id[row]),
                    is_extended_id=False,
                    data=forge.table.data[row, : forge.table.length[row]].tobytes(),
                )
            )
    junit, result = tmp_path / "out" / "junit.xml", tmp_path / "result.json"
    assert main(["check", str(log), "--junit", str(junit), "--json", str(result)]) == 1
    out = capsys.readouterr().out
    assert "FAIL  crc " in out and "BmsLimits" in out
    assert ElementTree.parse(junit).getroot().get("failures") == "2"
    assert [check["rule"] for check in json.loads(result.read_text())["logs"][0]["checks"] if check["count"]] == [
        "crc", "lost",
    ]  # fmt: skip
    assert main(["check", str(log), "--skip-rule", "crc,lost"]) == 0
    assert main(["check", str(log), "--start", "1.5"]) == 0
    capsys.readouterr()
    assert main(["check", str(log), "--json", "-"]) == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a LOG"),
        (["LOG", "--live"], "name a LOG"),
        (["none.blf"], "there is no such log"),
        (["LOG", "--limit", "jitter=3"], "there is no limit jitter"),
        (["LOG", "--limit", "jitter_ms"], "write NAME=VALUE"),
        (["LOG", "--without", "PEDAL"], "no node PEDAL; did you mean PEDALS"),
        (["LOG", "--skip-rule", "crcs"], "there is no rule 'crcs'"),
        (["LOG", "--allow", "Pedals"], "Pedals is no identifier, message or node; did you mean PEDALS"),
        (["LOG", "-b", "0"], "bit rate 0: must be above 0"),
        (["LOG", "-c", "7"], "has no channel 7, only 0"),
        (["LOG", "-c", "can0"], "channel 'can0' of a log must be a number"),
        (["LOG", "--start", "900"], "there is no frame to judge"),
        (["LOG", "--junit", "/proc/none/x.xml"], "cannot be written"),
        (["--live", "--duration", "0", "-i", "virtual", "-c", "x"], "--duration must be above 0"),
        (["--live", "--duration", "0.2", "-i", "virtual", "-c", "silent"], "no frame came"),
    ],
)
def test_mistakes(drive_log: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *(str(drive_log) if text == "LOG" else text for text in arguments)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("baud_rate", "arguments", "shown"),
    [("250000", [], 250), ("250000", ["-b", "1000000"], 1000), ("0", [], 500)],
)
def test_the_load_is_of_the_bit_rate_of_the_dbc(
    drive_log: Path, tmp_path: Path, baud_rate: str, arguments: list[str], shown: int,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    dbc = tmp_path / "other.dbc"
    text = powertrain().path.read_text(encoding="ascii")
    assert 'BA_ "Baudrate" 500000;' in text
    dbc.write_text(text.replace('BA_ "Baudrate" 500000;', f'BA_ "Baudrate" {baud_rate};'))
    main(["check", str(drive_log), "--dbc", str(dbc), "-v", *arguments])
    assert f"allowed 80 % at {shown} kbit/s" in capsys.readouterr().out


def test_the_list_of_rules_and_limits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--list"]) == 0
    out = capsys.readouterr().out
    assert "  missing " in out and "  jitter_percent=30.0" in out


def test_a_live_bus(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """PEDALS and a stranger on a bus of python-can; all other nodes are said to be away."""
    end = threading.Event()

    def send() -> None:
        protector = Protector(0xA0)
        with can.Bus(interface="virtual", channel="check-live") as bus:
            while not end.wait(0.01):
                bus.send(can.Message(arbitration_id=0xA0, data=protector.protect(bytes(8)), is_extended_id=False))
                bus.send(can.Message(arbitration_id=0x18FF0102, data=b"\x01", is_extended_id=True))

    sender = threading.Thread(target=send)
    sender.start()
    try:
        others = ",".join(node for node in powertrain().nodes if node != "PEDALS")
        arguments = ["check", "--live", "-i", "virtual", "-c", "check-live", "--duration", "1", "--without", others]
        # The wall clock of a busy machine is no judge of cycles.
        timing = ["--skip-rule", "jitter,cycle,missing", "--json", str(tmp_path / "live.json")]
        assert main([*arguments, *timing]) == 1
        log = json.loads((tmp_path / "live.json").read_text())["logs"][0]
        assert [check["rule"] for check in log["checks"] if check["outcome"] == "fail"] == ["unknown-id"]
        assert "0x18FF0102x" in capsys.readouterr().out
        assert main([*arguments, *timing, "--allow", "0x18FF0102x"]) == 0
    finally:
        end.set()
        sender.join()


def test_another_database_without_e2e(tmp_path: Path) -> None:
    (tmp_path / "plain.dbc").write_text(PLAIN)
    database = load_database(tmp_path / "plain.dbc")

    def log(level: int = 50, cycle_s: float = 0.02, count: int = 50, skip: int = -1) -> set[tuple[str, str]]:
        messages = [
            can.Message(timestamp=index * cycle_s, arbitration_id=291, is_extended_id=False, data=[level, 7])
            for index in range(count)
            if not skip <= index < skip + 4 or skip < 0
        ]
        messages.append(can.Message(timestamp=0.1, arbitration_id=292, is_extended_id=False, data=[1]))
        result = judge(table_of(messages), database, Config(), "plain")
        assert not {check.rule for check in result.checks} & {"crc", "counter", "lost"}
        return {(check.rule, check.subject) for check in result.failed}

    assert log() == set()  # `Sometimes` is sent only when it is active, and `Kind` is a number
    assert log(level=101) == {("range", "Plain.Level")}
    assert log(cycle_s=0.023) == {("cycle", "Plain")}
    assert log(skip=20) == {("missing", "Plain")}  # three cycles, since there is no RxTimeout


def test_a_log_of_several_channels(drive_log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "two.blf"
    with can.Logger(log) as writer:
        for message in can.LogReader(drive_log):
            for channel in (0, 1):
                message.channel = channel
                writer(message)
    assert main(["check", str(log)]) == 2
    assert "channels 0, 1: choose one with --channel" in capsys.readouterr().err
    assert main(["check", str(log), "-c", "1"]) == 0


def test_an_interrupted_live_check_judges_what_came(judged: Judge) -> None:
    """Ctrl-C ends the collecting, not the judging."""
    from twinaxle.judge.live import collect

    class Interrupted:
        """A bus on which the user presses Ctrl-C after ten frames."""

        count = 0

        def recv(self, timeout: float) -> can.Message:
            self.count += 1
            if self.count > 10:
                raise KeyboardInterrupt
            return can.Message(timestamp=time.time(), arbitration_id=0xA0, is_extended_id=False, data=bytes(8))

    table, problem = collect(Interrupted(), powertrain(), None)  # type: ignore[arg-type]
    assert (len(table), problem) == (10, "")


@pytest.mark.parametrize(("frames", "judged"), [(10, True), (0, False)])
def test_what_came_before_the_bus_failed_is_judged(
    frames: int, judged: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    protector = Protector(0xA0)
    left = iter(range(frames))

    def recv(self: can.BusABC, timeout: float | None = None) -> can.Message:
        if (number := next(left, None)) is None:
            raise can.CanOperationError("unplugged")
        data = protector.protect(bytes(8))
        return can.Message(timestamp=number * 0.01, arbitration_id=0xA0, is_extended_id=False, data=data)

    monkeypatch.setattr(can.interfaces.virtual.VirtualBus, "recv", recv)
    result = tmp_path / "live.json"
    assert main(["check", "--live", "-i", "virtual", "-c", "unplugged", "--json", str(result)]) == 2
    assert "the bus failed: unplugged" in capsys.readouterr().err
    assert result.exists() is judged
    assert not judged or json.loads(result.read_text())["logs"][0]["frames"] == frames

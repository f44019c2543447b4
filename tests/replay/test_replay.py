"""`twinaxle replay` on python-can's virtual bus, and into logs."""

from pathlib import Path
from typing import Any

import can
import pytest
from can.interfaces.virtual import VirtualBus

from tests.decode.conftest import Run
from tests.replay.conftest import BUS, drive, received
from twinaxle.dbc import powertrain
from twinaxle.e2e import Checker, Verdict
from twinaxle.logs.read import table_of
from twinaxle.replay.player import Player

NODE_IDS = {message.frame_id for message in powertrain().messages.values() if message.sender == "VCU"}


def sendable() -> list[can.Message]:
    return [message for message in drive() if not message.is_error_frame]


def same(found: list[can.Message], wanted: list[can.Message]) -> bool:
    def content(messages: list[can.Message]) -> list[Any]:
        return [
            (one.arbitration_id, one.is_extended_id, one.is_remote_frame, one.dlc, bytes(one.data)) for one in messages
        ]

    return content(found) == content(wanted)


def test_the_whole_log_comes_in_order(log: Path, run: Run, listener: can.BusABC) -> None:
    said = run("replay", log, *BUS, "--speed", "20")
    assert same(received(listener), sendable())
    assert said.startswith("403 frames sent; timing error: median ")
    assert "1 error frames are not sent" in run.err  # type: ignore[attr-defined]


def test_frames_come_at_their_times(log: Path, run: Run, listener: can.BusABC, sent_s: list[float]) -> None:
    run("replay", log, *BUS, "--speed", "0.5", "--to", "0.1995")
    wanted_s = [one.timestamp for one in sendable() if one.timestamp < 1.7e9 + 0.1995]
    assert len(received(listener)) == len(wanted_s) > 190
    assert [one - sent_s[0] for one in sent_s] == pytest.approx(
        [(one - wanted_s[0]) / 0.5 for one in wanted_s], abs=1e-5
    )


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--without-node", "VCU"], lambda can_id: can_id not in NODE_IDS),
        (["--node", "VCU"], lambda can_id: can_id in NODE_IDS),
        (["--id", "0x100", "BmsPack"], lambda can_id: can_id in (0x100, 0x121)),
        (["--without-id", "0x6ab", "--node", "INV_F", "--id", "0x6AB"], lambda can_id: can_id in (0x100, 0x110, 0x180)),
    ],
)
def test_frames_are_chosen(log: Path, run: Run, tmp_path: Path, options: list[str], wanted: Any) -> None:
    run("replay", log, "--dry-run", tmp_path / "out.blf", *options)
    expected = [message for message in sendable() if wanted(message.arbitration_id)]
    with can.LogReader(tmp_path / "out.blf") as reader:
        assert same(list(reader), expected)
    assert expected


def verdicts(messages: list[can.Message]) -> dict[str, list[Verdict]]:
    found: dict[str, list[Verdict]] = {}
    by_id = {message.frame_id: message for message in powertrain().messages.values() if message.e2e}
    checkers = {key: Checker(one.e2e.data_id, 2, one.length) for key, one in by_id.items() if one.e2e}
    for message in messages:
        if message.arbitration_id in checkers and not message.is_remote_frame and message.dlc == 8:
            verdict = checkers[message.arbitration_id].check(bytes(message.data))
            found.setdefault(by_id[message.arbitration_id].name, []).append(verdict)
    return found


def written(path: Path) -> list[can.Message]:
    with can.LogReader(path) as reader:
        return list(reader)


def test_rewritten_messages_are_protected_anew(log: Path, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.blf"
    run("replay", log, "--dry-run", out, "--set", "VcuStatus.State=Drive")
    checked = verdicts(written(out))
    assert set(checked["VcuStatus"][1:]) == {Verdict.OK}
    unprotected = [one for one in sendable() if one.arbitration_id != 0x130]
    assert same([one for one in written(out) if one.arbitration_id != 0x130], unprotected)
    assert all(one.data[1] >> 4 == 4 for one in written(out) if one.arbitration_id == 0x130)
    run("replay", log, "--dry-run", out, "--set", "VcuStatus.State=Drive", "--e2e", "keep")
    assert Verdict.WRONG_CRC in verdicts(written(out))["VcuStatus"]


def test_counters_go_on_over_the_seam_of_a_loop(log: Path, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.blf"
    said = run("replay", log, "--dry-run", out, "--loop", "3", "--without-id", "0x6AB")
    messages = written(out)
    assert "1,206 frames" in said and len(messages) == 3 * 402
    for name, found in verdicts(messages).items():
        assert set(found[1:]) == {Verdict.OK}, name
    times = [message.timestamp for message in messages]
    assert times == sorted(times) and times[-1] - times[0] == pytest.approx(3 * 0.4, abs=0.01)


def test_a_replay_without_end_ends_with_ctrl_c(log: Path, run: Run, listener: can.BusABC, monkeypatch: Any) -> None:
    send = VirtualBus.send
    count = 0

    def interrupted(self: Any, message: can.Message, timeout: float | None = None) -> None:
        nonlocal count
        count += 1
        if count > 1000:
            raise KeyboardInterrupt
        send(self, message, timeout)

    monkeypatch.setattr(VirtualBus, "send", interrupted)
    said = run("replay", log, *BUS, "--loop", "--speed", "100")
    assert len(received(listener)) == 1000
    assert "frames sent" in said


@pytest.mark.parametrize(
    "error",
    [can.CanOperationError("transmit buffer full"), BrokenPipeError(32, "Broken pipe"), OSError(19, "No device")],
)
def test_a_bus_that_fails_is_told(log: Path, run: Run, monkeypatch: Any, error: Exception) -> None:
    """Not all interfaces raise python-can's errors; some pass on the system's."""

    def failing(self: Any, message: can.Message, timeout: float | None = None) -> None:
        raise error

    monkeypatch.setattr(VirtualBus, "send", failing)
    for command in (["replay", log], ["send", "VcuStatus"]):
        told = run(*command, *BUS, code=2)
        assert "the bus failed after 0 frames" in told
        assert str(error) in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--without-node", "VCX"], "no node VCX; did you mean VCU"),
        (["--without-id", "BmsPak"], "no message BmsPak; did you mean BmsPack"),
        (["--speed", "0"], "--speed 0: must be above 0"),
        (["--loop", "-1"], "--loop -1"),
        (["--id", "0x7FF"], "no frame is left"),
        (["--loop", "--dry-run", "x.blf"], "fits into no file"),
        (["--dry-run", "x.xyz"], "x.xyz"),
        (["-i", "socketcand", "-c", "none"], "the bus cannot be opened (socketcand channel none)"),
    ],
)
def test_errors(log: Path, run: Run, options: list[str], message: str, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in run("replay", log, *options, code=2)


def test_an_unsorted_log_is_played_in_the_order_of_time() -> None:
    messages = sendable()
    player = Player(table_of([*messages[200:], *messages[:200]]), powertrain())
    assert same([message for _, message in player.messages()], messages)
    assert len(player) == len(messages) and player.duration_s == pytest.approx(0.4, abs=0.01)

"""dbc/powertrain.dbc is what the protocol's table says, keeps its file rules, and opens in other tools."""

import re
from itertools import groupby
from pathlib import Path

import canmatrix.formats
import cantools
import pytest

from twinaxle.dbc import load_database, powertrain
from twinaxle.dbc.database import POWERTRAIN

TEXT = POWERTRAIN.read_bytes().decode("ascii")  # fails on anything else
LINES = TEXT.splitlines()

# The layout by bit numbers, written down a second time: name, identifier, sender, cycle, E2E, then
# (signal, start, length, signed, factor, offset, unit) without Crc and Counter.
COMMAND = [
    ("Mode", 12, 4, 0, 1, 0, ""), ("TorqueRequest", 16, 16, 1, 0.1, 0, "Nm"),
    ("TorqueLimitDrive", 32, 12, 0, 0.1, 0, "Nm"), ("TorqueLimitRegen", 44, 12, 0, 0.1, 0, "Nm"),
    ("SpeedLimit", 56, 8, 0, 100, 0, "rpm"),
]  # fmt: skip
INVERTER_STATUS = [
    ("State", 12, 4, 0, 1, 0, ""), ("TorqueActual", 16, 16, 1, 0.1, 0, "Nm"), ("Speed", 32, 16, 1, 1, 0, "rpm"),
    ("EchoCounter", 48, 4, 0, 1, 0, ""), ("GatesOn", 52, 1, 0, 1, 0, ""), ("Derating", 53, 1, 0, 1, 0, ""),
    ("Warning", 54, 1, 0, 1, 0, ""), ("FaultCode", 56, 8, 0, 1, 0, ""),
]  # fmt: skip
INVERTER_LIMITS = [
    ("TorqueAvailableDrive", 16, 12, 0, 0.1, 0, "Nm"), ("TorqueAvailableRegen", 28, 12, 0, 0.1, 0, "Nm"),
    ("DcVoltage", 40, 12, 0, 0.2, 0, "V"), ("DcCurrent", 52, 12, 1, 0.5, 0, "A"),
]  # fmt: skip
TEMPS = [
    ("TempStator", 16, 8, 0, 1, -40, "degC"), ("TempInverter", 24, 8, 0, 1, -40, "degC"),
    ("TempCoolant", 32, 8, 0, 1, -40, "degC"),
]  # fmt: skip
DIAG = [(f"Data{at}", 8 * at, 8, 0, 1, 0, "") for at in range(8)]
TABLE = [
    ("VcuInvFrontCommand", 0x080, "VCU", 10, True, COMMAND),
    ("VcuInvRearCommand", 0x081, "VCU", 10, True, COMMAND),
    ("VcuHvCommand", 0x090, "VCU", 20, True, [("HvRequest", 12, 4, 0, 1, 0, "")]),
    ("PedalsDriver", 0x0A0, "PEDALS", 10, True, [
        ("Gear", 12, 3, 0, 1, 0, ""), ("StartButton", 15, 1, 0, 1, 0, ""), ("Apps1", 16, 13, 0, 1, 0, "mV"),
        ("Apps2", 29, 13, 0, 1, 0, "mV"), ("BrakePressure", 42, 10, 0, 0.2, 0, "bar"),
        ("BrakeSwitch", 52, 1, 0, 1, 0, ""), ("OnePedal", 53, 1, 0, 1, 0, ""), ("DriveMode", 54, 2, 0, 1, 0, ""),
    ]),
    ("EscWheelSpeeds", 0x0B0, "ESC", 10, True, [
        ("Valid", 12, 4, 0, 1, 0, ""), ("FrontLeft", 16, 12, 0, 0.1, 0, "km/h"),
        ("FrontRight", 28, 12, 0, 0.1, 0, "km/h"), ("RearLeft", 40, 12, 0, 0.1, 0, "km/h"),
        ("RearRight", 52, 12, 0, 0.1, 0, "km/h"),
    ]),
    ("EscMotion", 0x0B1, "ESC", 10, True, [
        ("AbsActive", 12, 1, 0, 1, 0, ""), ("EscActive", 13, 1, 0, 1, 0, ""), ("TorqueMaxValid", 14, 1, 0, 1, 0, ""),
        ("AccelX", 16, 12, 1, 0.01, 0, "m/s2"), ("AccelY", 28, 12, 1, 0.01, 0, "m/s2"),
        ("YawRate", 40, 12, 1, 0.1, 0, "deg/s"), ("TorqueMax", 52, 12, 0, 0.2, 0, "Nm"),
    ]),
    ("InvFrontStatus", 0x100, "INV_F", 10, True, INVERTER_STATUS),
    ("InvRearStatus", 0x101, "INV_R", 10, True, INVERTER_STATUS),
    ("InvFrontLimits", 0x110, "INV_F", 10, True, INVERTER_LIMITS),
    ("InvRearLimits", 0x111, "INV_R", 10, True, INVERTER_LIMITS),
    ("BmsLimits", 0x120, "BMS", 20, True, [
        ("DischargePowerMax", 16, 16, 0, 10, 0, "W"), ("ChargePowerMax", 32, 16, 0, 10, 0, "W"),
        ("Soc", 48, 10, 0, 0.1, 0, "%"),
    ]),
    ("BmsPack", 0x121, "BMS", 20, True, [
        ("ContactorState", 12, 4, 0, 1, 0, ""), ("PackVoltage", 16, 12, 0, 0.2, 0, "V"),
        ("LinkVoltage", 28, 12, 0, 0.2, 0, "V"), ("PackCurrent", 40, 13, 1, 0.5, 0, "A"),
        ("Isolation", 53, 11, 0, 1, 0, "kOhm"),
    ]),
    ("BmsStatus", 0x122, "BMS", 100, True, [
        ("FaultLevel", 12, 3, 0, 1, 0, ""), ("HvilClosed", 15, 1, 0, 1, 0, ""),
        ("CellTempMin", 16, 8, 0, 1, -40, "degC"), ("CellTempMax", 24, 8, 0, 1, -40, "degC"),
        ("CellVoltageMin", 32, 12, 0, 2, 0, "mV"), ("CellVoltageMax", 44, 12, 0, 2, 0, "mV"),
        ("PlugConnected", 56, 1, 0, 1, 0, ""), ("ChargeActive", 57, 1, 0, 1, 0, ""),
    ]),
    ("VcuStatus", 0x130, "VCU", 20, True, [
        ("State", 12, 4, 0, 1, 0, ""), ("TorqueDemand", 16, 14, 1, 0.1, 0, "Nm"),
        ("TorqueGranted", 30, 14, 1, 0.1, 0, "Nm"), ("RearShare", 44, 8, 0, 0.5, 0, "%"),
        ("LimitReason", 52, 4, 0, 1, 0, ""), ("FaultLevel", 56, 2, 0, 1, 0, ""), ("DriveReady", 58, 1, 0, 1, 0, ""),
        ("StopLamp", 59, 1, 0, 1, 0, ""), ("AllowReverseLamp", 60, 1, 0, 1, 0, ""),
    ]),
    ("VcuTiming", 0x131, "VCU", 100, False, [
        ("TickTimeMax", 0, 16, 0, 1, 0, "us"), ("TickJitterMax", 16, 16, 0, 1, 0, "us"),
        ("HeapFree", 32, 12, 0, 64, 0, "B"), ("RxOverruns", 44, 8, 0, 1, 0, ""), ("BusOffCount", 52, 4, 0, 1, 0, ""),
        ("ResetCause", 56, 4, 0, 1, 0, ""),
    ]),
    ("VcuIdentity", 0x132, "VCU", 1000, False, [
        ("ProtocolHash", 0, 32, 0, 1, 0, ""), ("FirmwareVersion", 32, 16, 0, 1, 0, ""),
        ("CalibrationHash", 48, 16, 0, 1, 0, ""),
    ]),
    ("VcuFault", 0x133, "VCU", 100, False, [
        ("Index", 0, 8, 0, 1, 0, ""), ("Count", 8, 8, 0, 1, 0, ""), ("Dtc", 16, 16, 0, 1, 0, ""),
        ("Status", 32, 8, 0, 1, 0, ""), ("Occurrences", 40, 8, 0, 1, 0, ""),
    ]),
    ("InvFrontTemps", 0x180, "INV_F", 100, True, TEMPS),
    ("InvRearTemps", 0x181, "INV_R", 100, True, TEMPS),
    ("DiagRequest", 0x7E0, "TESTER", 0, False, DIAG),
    ("DiagResponse", 0x7E8, "VCU", 0, False, DIAG),
]  # fmt: skip

VALUES = {
    "VcuInvFrontCommand.Mode": "Off Standby Torque Discharge",
    "VcuHvCommand.HvRequest": "Off Drive Charge",
    "PedalsDriver.DriveMode": "Normal Eco Sport Snow",
    "InvFrontStatus.State": "Init Lockout Standby Torque Discharge Fault",
    "InvRearStatus.FaultCode": "None CommandTimeout OverVoltage UnderVoltage OverCurrent OverTemperature Resolver "
    "Hardware OverSpeed",
    "BmsStatus.FaultLevel": "None Warning Derate Shutdown",
    "VcuStatus.State": "Init Standby Precharge Ready Drive Limp Fault Charge Shutdown",
}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_layout(row: tuple[str, int, str, int, bool, list[tuple[str, int, int, int, float, float, str]]]) -> None:
    name, can_id, sender, cycle_ms, protected, signals = row
    message = powertrain().messages[name]
    assert (message.frame_id, message.is_extended, message.length) == (can_id, False, 8)
    assert (message.sender, message.cycle_ms) == (sender, cycle_ms)
    head = [("Crc", 0, 8, 0, 1, 0, ""), ("Counter", 8, 4, 0, 1, 0, "")] if protected else []
    assert [
        (s.name, s.start, s.length, int(s.is_signed), s.factor, s.offset, s.unit) for s in message.signals
    ] == head + signals  # fmt: skip
    assert not any(s.is_big_endian or s.mux or s.is_float for s in message.signals)
    assert (message.e2e is not None) == protected
    if message.e2e:
        assert (message.e2e.data_id, message.e2e.max_delta) == (can_id, 2)


def test_nothing_else_is_in_it() -> None:
    assert list(powertrain().messages) == [row[0] for row in TABLE]
    assert powertrain().nodes == ("VCU", "INV_F", "INV_R", "BMS", "PEDALS", "ESC", "TESTER")


def test_value_tables() -> None:
    messages = powertrain().messages
    for path, names in VALUES.items():
        name, signal = path.split(".")
        assert dict(messages[name].signal(signal).choices) == dict(enumerate(names.split()))
    assert dict(messages["PedalsDriver"].signal("Gear").choices) == {0: "P", 1: "R", 2: "N", 3: "D", 7: "Invalid"}
    contactors = {0: "Open", 1: "Precharge", 2: "Closed", 3: "Opening", 4: "Welded", 15: "Invalid"}
    assert dict(messages["BmsPack"].signal("ContactorState").choices) == contactors
    for front, rear in (("VcuInvFrontCommand", "VcuInvRearCommand"), ("InvFrontStatus", "InvRearStatus")):
        for one, other in zip(messages[front].signals, messages[rear].signals, strict=True):
            assert one.choices == other.choices


def test_every_name_of_a_value_is_one_word() -> None:
    """So that firmware tags can name it."""
    for message in powertrain().messages.values():
        for signal in message.signals:
            assert all(re.fullmatch(r"[A-Za-z]\w*", name) for name in signal.choices.values())
            assert len(set(signal.choices.values())) == len(signal.choices)
            assert all(signal.raw_minimum <= value <= signal.raw_maximum for value in signal.choices)


def test_every_message_and_signal_is_complete() -> None:
    for message in powertrain().messages.values():
        assert message.comment and message.sender
        for signal in message.signals:
            where = f"{message.name}.{signal.name}"
            assert signal.comment, where
            assert signal.receivers, where
            assert message.sender not in signal.receivers, where
            assert set(signal.receivers) <= set(powertrain().nodes), where
            assert signal.minimum is not None and signal.maximum is not None, where
            low = signal.raw_minimum * signal.factor + signal.offset
            high = signal.raw_maximum * signal.factor + signal.offset
            assert low - 1e-9 <= signal.minimum < signal.maximum <= high + 1e-9, where
            start = signal.start_raw * signal.factor + signal.offset
            assert signal.minimum <= start <= signal.maximum + 1e-9, where


def test_attributes_are_all_there() -> None:
    for message in powertrain().messages.values():
        for name in ("GenMsgCycleTime", "GenMsgSendType", "VFrameFormat", "E2eProfile"):
            assert f'BA_ "{name}" BO_ {message.frame_id} ' in TEXT
        for name in ("E2eDataId", "E2eMaxDelta"):
            assert (f'BA_ "{name}" BO_ {message.frame_id} ' in TEXT) == (message.e2e is not None)
        assert (f'BA_ "RxTimeout" BO_ {message.frame_id} ' in TEXT) == (message.cycle_ms > 0)
        for signal in message.signals:
            assert f'BA_ "GenSigStartValue" SG_ {message.frame_id} {signal.name} ' in TEXT


@pytest.mark.req("SF-01")
def test_timeouts() -> None:
    """Three cycles for what comes to the VCU; BmsLimits by LM-03; the inverters' own 50 ms for commands."""
    for message in powertrain().messages.values():
        if "VCU" in message.receivers and message.cycle_ms and message.name != "BmsLimits":
            assert message.rx_timeout_ms == 3 * message.cycle_ms
    assert powertrain().messages["BmsLimits"].rx_timeout_ms == 300
    assert powertrain().messages["VcuInvFrontCommand"].rx_timeout_ms == 50


def test_file_rules() -> None:
    """What SavvyCAN and canmatrix need."""
    keywords = [line.split()[0].rstrip(":") for line in LINES if re.match(r"[A-Z]+_?\w*\b", line)]
    order = ["VERSION", "NS_", "BS_", "BU_", "BO_", "CM_", "BA_DEF_", "BA_DEF_DEF_", "BA_", "VAL_"]
    sections = [word for word, _ in groupby(keywords)]
    assert sections == order
    assert sum(line.startswith("BU_:") for line in LINES) == 1
    for line in LINES:
        if line.startswith("CM_"):
            assert line.endswith('";') and line.count('"') == 2
        if line.startswith(" SG_"):
            assert re.fullmatch(
                r' SG_ \w+ : \d+\|\d+@1[+-] \([-\d.]+,[-\d.]+\) \[[-\d.]+\|[-\d.]+\] "[\w/%]*" \w+(,\w+)*', line
            )
        if line.startswith("BO_ "):
            assert re.fullmatch(r"BO_ \d+ \w+: 8 \w+", line)
        if line.startswith("BA_ "):
            assert re.search(r' (\d+|"\w+");$', line), line


def test_opens_in_cantools_strict() -> None:
    database = cantools.database.load_file(POWERTRAIN, strict=True)
    assert isinstance(database, cantools.database.Database)
    pedals = database.get_message_by_name("PedalsDriver")
    assert pedals.cycle_time == 10
    assert pedals.get_signal_by_name("Gear").initial == "Invalid"


def test_opens_in_canmatrix() -> None:
    matrix = canmatrix.formats.loadp_flat(str(POWERTRAIN))
    assert matrix is not None
    assert len(matrix.frames) == len(TABLE)
    frame = matrix.frame_by_name("BmsPack")
    assert frame.cycle_time == 20
    current = frame.signal_by_name("PackCurrent")
    assert (current.start_bit, current.size, current.is_signed, float(current.factor)) == (40, 13, True, 0.5)
    assert current.receivers == ["VCU", "TESTER"]
    assert frame.signal_by_name("LinkVoltage").attributes["GenSigStartValue"] == "4095"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('CM_ BO_ 160 "What', 'CM_ BO_ 160 "Everything', True),
        ('BA_ "RxTimeout" BO_ 160 30;', 'BA_ "RxTimeout" BO_ 160 40;', True),
        ('BA_ "GenSigStartValue" SG_ 160 Apps1 500;', 'BA_ "GenSigStartValue" SG_ 160 Apps1 0;', True),
        ('[0|8191] "mV" VCU,TESTER', '[0|5000] "mV" VCU', True),
        ("SG_ OnePedal : 53|1", "SG_ OnePedal : 56|1", False),
        ("SG_ OnePedal : 53|1", "SG_ TwoPedal : 53|1", False),
        ("(0.2,0) [0|204.6]", "(0.25,0) [0|204.6]", False),
        ("16|13@1+ (1,0) [0|8191]", "16|13@1- (1,0) [0|8191]", False),
        ('BA_ "GenMsgCycleTime" BO_ 160 10;', 'BA_ "GenMsgCycleTime" BO_ 160 20;', False),
        ('BA_ "E2eDataId" BO_ 160 160;', 'BA_ "E2eDataId" BO_ 160 161;', False),
        ('3 "D" 7', '4 "D" 7', False),
    ],
)
def test_protocol_hash_is_about_the_wire_only(old: str, new: str, same: bool, tmp_path: Path) -> None:
    assert old in TEXT
    path = tmp_path / "changed.dbc"
    path.write_text(TEXT.replace(old, new, 1))
    assert (load_database(path).protocol_hash == powertrain().protocol_hash) == same

"""A driver for the live bench: starts the car, drives it to 30 km/h, and stops it again.

    twinaxle bench --without PEDALS
    python docs/examples/drive.py 127.0.0.1:29536

The bench plays every node but PEDALS; this program is PEDALS. It needs python-can, cantools and twinaxle's E2E.
"""

import sys
from pathlib import Path

import can
import cantools

from twinaxle.e2e import Protector

DBC = Path(__file__).parents[2] / "dbc" / "powertrain.dbc"


def main(channel: str) -> None:
    database = cantools.database.load_file(DBC)
    pedals = database.get_message_by_name("PedalsDriver")
    protector = Protector(pedals.dbc.attributes["E2eDataId"].value)
    state, speed_kmh = "", 0.0

    with can.Bus(interface="twinaxle", channel=channel) as bus:

        def press(pedal_percent: float = 0.0, brake_bar: float = 0.0, gear: str = "P", start: bool = False) -> None:
            """Send PedalsDriver once: both accelerator sensors, brake and its switch, selector, button."""
            data = pedals.encode(
                {
                    "Crc": 0,
                    "Counter": 0,
                    "Gear": gear,
                    "StartButton": start,
                    "Apps1": 500 + 40 * pedal_percent,
                    "Apps2": 250 + 20 * pedal_percent,
                    "BrakePressure": brake_bar,
                    "BrakeSwitch": brake_bar > 1,
                    "OnePedal": 0,
                    "DriveMode": "Normal",
                }
            )
            bus.send(can.Message(arbitration_id=pedals.frame_id, is_extended_id=False, data=protector.protect(data)))

        def step(feet: dict) -> None:
            """Take frames until the car's own 10 ms are over, then press the pedals once."""
            nonlocal state, speed_kmh
            while True:
                message = bus.recv()
                if message.is_error_frame:
                    continue
                name = database.get_message_by_frame_id(message.arbitration_id).name
                if name == "VcuStatus":
                    state = str(database.decode_message(name, message.data)["State"])
                elif name == "EscWheelSpeeds":
                    speed_kmh = database.decode_message(name, message.data)["FrontLeft"]
                elif name == "InvFrontStatus":  # every 10 ms
                    press(**feet)
                    return

        def until(condition, **feet) -> None:
            while not condition():
                step(feet)
            print(f"{state:8} {speed_kmh:5.1f} km/h  {feet}", flush=True)

        until(lambda: state == "Standby", brake_bar=30)
        for _ in range(50):
            step({"brake_bar": 30, "start": True})
        until(lambda: state == "Ready", brake_bar=30)
        until(lambda: state == "Drive", brake_bar=30, gear="D")
        until(lambda: speed_kmh >= 30, pedal_percent=60, gear="D")
        until(lambda: speed_kmh < 0.5, brake_bar=40, gear="D")
        until(lambda: state == "Ready", brake_bar=40, gear="P")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:29536")

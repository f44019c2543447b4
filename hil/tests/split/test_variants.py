"""The 72 kWh pack as a calibration of its own (SP-08)."""

import pytest

from hil.pytest_plugin import BenchFactory
from hil.scenarios.cycle import wltc
from hil.scenarios.cycles import half_and_half
from hil.workshop import variant_calibration
from twinaxle.calibration import calibration_hash
from twinaxle.errors import UserError


@pytest.mark.req("SP-08")
def test_the_72_kwh_pack_drives_with_its_own_calibration(new_bench: BenchFactory) -> None:
    bench = new_bench(variant="72kWh", record_period_ms=100)
    bench.start_up()
    result = wltc(bench, seconds=130)
    identity = int(bench.latest("VcuIdentity").CalibrationHash)
    assert identity == calibration_hash(variant_calibration("72kWh"))
    assert identity != calibration_hash(variant_calibration("78kWh"))
    assert bench.plant.parameters.battery.usable_kwh == 69.0
    bench.measure("outside_band_72_kwh_s", result.outside_band_s, 1.0, req="SP-08", comment="first 130 s of the WLTC")


def test_half_and_half_is_the_same_firmware_with_both_axles_at_work(new_bench: BenchFactory) -> None:
    bench = new_bench(calibration=half_and_half(variant_calibration("78kWh")))
    bench.start_up()
    bench.driver.pedal(10)
    bench.run(8)
    front, rear = bench.plant.front, bench.plant.rear
    assert rear.gates_on
    assert rear.torque_nm == pytest.approx(front.torque_nm, rel=0.05, abs=0.3)


def test_an_unknown_variant_is_named(new_bench: BenchFactory) -> None:
    with pytest.raises(UserError, match=r"'90kWh'.*72kWh"):
        new_bench(variant="90kWh")

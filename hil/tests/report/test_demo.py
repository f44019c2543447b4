"""What the demo puts at the top of its report."""

from hil.demo import highlights
from hil.judging.measure import Measurements


def measured(**values: float) -> Measurements:
    items = Measurements()
    for name, value in values.items():
        items.note(name, value)
    return items


def test_the_first_drive_that_measured_a_value_gives_it() -> None:
    """The range is that of the cycle with the published pack, not of the one with another pack that follows."""
    runs = {
        "WLTC": list(measured(wltc_range_km=481.0)),
        "WLTC with the 72 kWh pack": list(measured(wltc_range_km=442.0, top_speed_kmh=204.0, other_ms=1.0)),
    }
    found = [(label, item.value) for item, label in highlights(runs)]
    assert found == [("Top speed", 204.0), ("Range", 481.0)]

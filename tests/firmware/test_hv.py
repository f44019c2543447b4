"""Precharge, discharge, welds."""

import pytest
from firmware_slots import raw
from vcu.hv import step


@pytest.fixture
def hv(s, rx, cal):
    rx["BmsPack.PackVoltage"] = 2000  # 400 V
    rx["BmsPack.LinkVoltage"] = 0
    contactor(rx, "Open")
    return s, rx, cal


def contactor(rx, state):
    rx["BmsPack.ContactorState"] = raw(f"BmsPack.ContactorState.{state}")


def let_pass(hv, ms, precharging=True, discharging=False):
    hv[0].state = raw("VcuStatus.State.Precharge" if precharging else "VcuStatus.State.Standby")
    hv[0].discharging = discharging
    for _ in range(ms // 10):
        step(*hv)


@pytest.mark.req("SM-02")
def test_precharge_is_done_after_100_ms_near_the_pack_and_closed(hv, rx):
    contactor(rx, "Precharge")
    let_pass(hv, 300)
    rx["BmsPack.LinkVoltage"] = 1902
    let_pass(hv, 100)
    assert not hv[0].precharged
    contactor(rx, "Closed")
    let_pass(hv, 10)
    assert hv[0].precharged


@pytest.mark.req("SM-02")
@pytest.mark.parametrize("link", [1899, 1840, 0])
def test_a_link_under_95_percent_is_not_done(hv, rx, link):
    contactor(rx, "Precharge")
    rx["BmsPack.LinkVoltage"] = link
    let_pass(hv, 300)
    contactor(rx, "Closed")
    let_pass(hv, 500)
    assert not hv[0].precharged


@pytest.mark.req("SM-02")
def test_three_seconds_at_most(hv, rx):
    contactor(rx, "Precharge")
    let_pass(hv, 3000)
    assert not hv[0].precharge_slow
    let_pass(hv, 10)
    assert hv[0].precharge_slow


@pytest.mark.req("SM-02")
def test_a_precharge_under_50_ms_is_a_fault(hv, rx):
    contactor(rx, "Precharge")
    let_pass(hv, 30)
    rx["BmsPack.LinkVoltage"] = 2000
    let_pass(hv, 10)
    assert hv[0].precharge_fast
    contactor(rx, "Closed")
    let_pass(hv, 500)
    assert not hv[0].precharged


@pytest.mark.req("SM-04")
def test_a_link_that_stays_live_for_5_s_is_found(hv, rx):
    rx["BmsPack.LinkVoltage"] = 400
    let_pass(hv, 5000, False, True)
    assert not hv[0].stays_live
    let_pass(hv, 10, False, True)
    assert hv[0].stays_live


@pytest.mark.req("SM-04")
def test_off_is_open_and_under_60_v(hv, rx):
    rx["BmsPack.LinkVoltage"] = 299
    let_pass(hv, 10)
    assert hv[0].hv_off
    contactor(rx, "Closed")
    let_pass(hv, 10)
    assert not hv[0].hv_off


@pytest.mark.req("SM-04")
def test_a_weld_is_remembered(hv, rx):
    contactor(rx, "Welded")
    let_pass(hv, 10)
    contactor(rx, "Open")
    let_pass(hv, 10)
    assert hv[0].welded


@pytest.mark.req("SM-06")
@pytest.mark.parametrize(("half_amps", "light"), [(0, True), (40, True), (41, False), (-41, False)])
def test_contactors_may_open_at_20_a_or_less(hv, rx, half_amps, light):
    rx["BmsPack.PackCurrent"] = half_amps
    let_pass(hv, 10)
    assert hv[0].hv_light == light

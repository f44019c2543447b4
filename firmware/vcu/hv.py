"""High voltage as seen from the bus: supervises precharge (SM-02), discharge and welds (SM-04), counts the tries."""

import micropython
from micropython import const

_CONTACTOR = const(47)  # dbc: BmsPack.ContactorState
_PACK = const(48)  # dbc: BmsPack.PackVoltage [0.2 V]
_LINK = const(49)  # dbc: BmsPack.LinkVoltage [0.2 V]
_CURRENT = const(50)  # dbc: BmsPack.PackCurrent [0.5 A]
_IS_OPEN = const(0)  # dbc: BmsPack.ContactorState.Open
_IS_CLOSED = const(2)  # dbc: BmsPack.ContactorState.Closed
_IS_OPENING = const(3)  # dbc: BmsPack.ContactorState.Opening
_IS_WELDED = const(4)  # dbc: BmsPack.ContactorState.Welded
_IN_PRECHARGE = const(2)  # dbc: VcuStatus.State.Precharge

_DONE_PERCENT = const(414)  # cal: hv.precharged_percent [percent]
_DONE_WITHIN = const(415)  # cal: hv.precharged_within_dv [dv]
_DONE_TICKS = const(416)  # cal: hv.precharged_ticks [ticks]
_FAST_TICKS = const(417)  # cal: hv.too_fast_ticks [ticks]
_SLOW_TICKS = const(418)  # cal: hv.too_slow_ticks [ticks]
_TRIES_WINDOW = const(419)  # cal: hv.tries_window_ticks [ticks]
_OFF_BELOW = const(420)  # cal: hv.off_below_dv [dv]
_OFF_TICKS = const(421)  # cal: hv.off_ticks [ticks]
_LIGHT_BELOW = const(422)  # cal: hv.open_below_da [da]

_STATE = const(0)  # sig: state
_OPEN = const(43)  # sig: hv_open
_OPENED = const(44)  # sig: hv_opened
_CLOSED = const(45)  # sig: hv_closed
_OFF = const(46)  # sig: hv_off
_LIGHT = const(47)  # sig: hv_light
_DONE = const(48)  # sig: precharged
_SLOW = const(49)  # sig: precharge_slow
_FAST = const(50)  # sig: precharge_fast
_WELDED = const(51)  # sig: welded
_STAYS_LIVE = const(52)  # sig: stays_live
_TICKS = const(53)  # sig: precharge_ticks
_CHARGING = const(54)  # sig: charging_ticks
_NEAR = const(55)  # sig: near_ticks
_DISCHARGING_TICKS = const(56)  # sig: discharging_ticks
_DISCHARGING = const(80)  # sig: discharging
_NOW = const(57)  # sig: now_ticks

_LONG = const(1 << 29)


@micropython.viper
def step(s: ptr32, rx: ptr32, cal: ptr32):
    """Once a tick."""
    contactor = rx[_CONTACTOR]
    link = rx[_LINK] * 2  # 0.1 V
    is_open = 1 if contactor == _IS_OPEN else 0
    is_off = 1 if is_open and link < cal[_OFF_BELOW] else 0
    s[_OPEN] = is_open
    s[_CLOSED] = 1 if contactor == _IS_CLOSED else 0
    s[_OPENED] = 1 if contactor < _IS_CLOSED or contactor == _IS_OPENING else 0
    s[_OFF] = is_off
    if contactor == _IS_WELDED:
        s[_WELDED] = 1
    amps = ((rx[_CURRENT] & 0xFFFF ^ 0x8000) - 0x8000) * 5  # 0.1 A
    limit = cal[_LIGHT_BELOW]
    s[_LIGHT] = 1 if 0 - limit <= amps <= limit else 0
    # Before the first tick all tries are long ago
    now = s[_NOW]
    s[_NOW] = cal[_TRIES_WINDOW] if not now else now + 1 if now < _LONG else now

    near = 0
    done = 0
    slow = 0
    if s[_STATE] == _IN_PRECHARGE:
        pack = rx[_PACK] * 2
        apart = pack - link
        within = cal[_DONE_WITHIN]
        s[_TICKS] = s[_TICKS] + 1
        if not is_open:
            s[_CHARGING] = s[_CHARGING] + 1
        if pack > cal[_OFF_BELOW] and link * 100 >= pack * cal[_DONE_PERCENT] and 0 - within <= apart <= within:
            near = s[_NEAR] + 1
            # Nothing on the link to charge, or a contactor that was closed before: never that quick
            if near == 1 and s[_CHARGING] < cal[_FAST_TICKS]:
                s[_FAST] = 1
        if near >= cal[_DONE_TICKS] and contactor == _IS_CLOSED and not s[_FAST]:
            done = 1
        if s[_TICKS] > cal[_SLOW_TICKS]:
            slow = 1
    else:
        s[_TICKS] = 0
        s[_CHARGING] = 0
    s[_NEAR] = near
    s[_DONE] = done
    s[_SLOW] = slow

    # SM-04: under 60 V within 5 s of asking
    if s[_DISCHARGING]:
        ticks = s[_DISCHARGING_TICKS] + 1
        s[_DISCHARGING_TICKS] = ticks
        s[_STAYS_LIVE] = 1 if ticks > cal[_OFF_TICKS] and not is_off else 0
    else:
        s[_DISCHARGING_TICKS] = 0

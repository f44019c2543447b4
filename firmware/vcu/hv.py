"""High voltage as seen from the bus: supervises precharge (SM-02), discharge and welds (SM-04), counts the tries."""

from array import array

from micropython import const

_CONTACTOR = const(47)  # dbc: BmsPack.ContactorState
_PACK = const(48)  # dbc: BmsPack.PackVoltage [0.2 V]
_LINK = const(49)  # dbc: BmsPack.LinkVoltage [0.2 V]
_CURRENT = const(50)  # dbc: BmsPack.PackCurrent [0.5 A]
_OPEN = const(0)  # dbc: BmsPack.ContactorState.Open
_CLOSED = const(2)  # dbc: BmsPack.ContactorState.Closed
_OPENING = const(3)  # dbc: BmsPack.ContactorState.Opening
_WELDED = const(4)  # dbc: BmsPack.ContactorState.Welded

_DONE_PERCENT = const(254)  # cal: hv.precharged_percent [percent]
_DONE_WITHIN = const(255)  # cal: hv.precharged_within_dv [dv]
_DONE_TICKS = const(256)  # cal: hv.precharged_ticks [ticks]
_FAST_TICKS = const(257)  # cal: hv.too_fast_ticks [ticks]
_SLOW_TICKS = const(258)  # cal: hv.too_slow_ticks [ticks]
_WINDOW = const(259)  # cal: hv.tries_window_ticks [ticks]
_OFF_BELOW = const(260)  # cal: hv.off_below_dv [dv]
_OFF_TICKS = const(261)  # cal: hv.off_ticks [ticks]
_LOAD = const(262)  # cal: hv.open_below_da [da]

_TRIES = const(3)


class Hv:
    """Results: `open`, `closed`, `opened` (open, or on the way to or from it), `off` (open and link under 60 V).

    `light`: 20 A or less, so contactors may open. `done`, `slow`, `too_fast`: the precharge. `stays_live`: SM-04.
    """

    def __init__(self, rx, cal):
        self._rx = rx
        self._cal = cal
        self.open = False
        self.closed = False
        self.opened = False
        self.off = False
        self.light = False
        self.done = False
        self.slow = False
        self.too_fast = False
        self.welded = False
        self.stays_live = False
        self._ticks = 0
        self._charging = 0
        self._near = 0
        self._discharging = 0
        self._now = 0
        self._last_tries = array("i", (-(1 << 29),) * _TRIES)
        self._try = 0

    def step(self, precharging, discharging):
        """Once a tick. `precharging`: in Precharge. `discharging`: contactors asked to open, motors slow."""
        rx = self._rx
        cal = self._cal
        contactor = rx[_CONTACTOR]
        link = rx[_LINK] * 2  # 0.1 V
        self.open = is_open = contactor == _OPEN
        self.closed = contactor == _CLOSED
        self.opened = contactor < _CLOSED or contactor == _OPENING
        if contactor == _WELDED:
            self.welded = True
        self.off = is_open and link < cal[_OFF_BELOW]
        amps = rx[_CURRENT] * 5  # 0.1 A
        limit = cal[_LOAD]
        self.light = -limit <= amps <= limit
        if self._now < 1 << 29:
            self._now += 1

        if precharging:
            pack = rx[_PACK] * 2
            near = (
                pack > cal[_OFF_BELOW]
                and link * 100 >= pack * cal[_DONE_PERCENT]
                and -cal[_DONE_WITHIN] <= pack - link <= cal[_DONE_WITHIN]
            )
            self._ticks += 1
            if not is_open:
                self._charging += 1
            if near:
                # Nothing on the link to charge, or a contactor that was closed before: never that quick
                if not self._near and self._charging < cal[_FAST_TICKS]:
                    self.too_fast = True
                self._near += 1
            else:
                self._near = 0
            self.done = self._near >= cal[_DONE_TICKS] and self.closed and not self.too_fast
            self.slow = self._ticks > cal[_SLOW_TICKS]
        else:
            self._ticks = self._charging = self._near = 0
            self.done = self.slow = False

        # SM-04: under 60 V within 5 s of asking
        if discharging:
            ticks = self._discharging + 1
            self._discharging = ticks
            self.stays_live = ticks > cal[_OFF_TICKS] and not self.off
        else:
            self._discharging = 0

    def may_try(self):
        """Whether a precharge may start: fewer than three in the last 60 s."""
        return self._now - self._last_tries[self._try] >= self._cal[_WINDOW]

    def begin_try(self):
        """A precharge starts."""
        self._last_tries[self._try] = self._now
        self._try = (self._try + 1) % _TRIES
        self.too_fast = False

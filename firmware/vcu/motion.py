"""Speed of the car from what turns: the motors, and the wheels when no motor tells."""

from micropython import const

_VALID = const(8)  # dbc: EscWheelSpeeds.Valid
_WHEELS = const(9)  # dbc: EscWheelSpeeds.FrontLeft [0.1 km/h]

_RPM_PER_100KMH = const(241)  # cal: vehicle.rpm_per_100kmh [100kmh]
_REST = const(242)  # cal: vehicle.rest_below_ckmh [ckmh]


class Motion:
    """`speed_ckmh` in 0.01 km/h and `rpm` of the motors are positive forward."""

    def __init__(self, rx, cal, front, rear):
        self._rx = rx
        self._cal = cal
        self._front = front
        self._rear = rear
        self.speed_ckmh = 0
        self.rpm = 0
        self.rest = False

    def step(self):
        """Once a tick, after both axles."""
        front = self._front
        rear = self._rear
        cal = self._cal
        if front.alive:
            rpm = (front.rpm + rear.rpm) // 2 if rear.alive else front.rpm
        elif rear.alive:
            rpm = rear.rpm
        elif self._rx[_VALID] & 1:
            # Magnitude only; nothing drives without a motor, so the sign does not matter
            rpm = self._rx[_WHEELS] * cal[_RPM_PER_100KMH] // 1000
        else:
            rpm = self.rpm
        self.rpm = rpm
        self.speed_ckmh = speed = rpm * 10_000 // cal[_RPM_PER_100KMH]
        rest = cal[_REST]
        self.rest = -rest < speed < rest

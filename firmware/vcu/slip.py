"""Place of the slip control in the chain: it may lower an axle's torque, never raise it.

It lowers nothing: on slippery ground the stability controller's TorqueMax and the ABS are what protects (limits.py).
"""


class Slip:
    """`front_dnm`, `rear_dnm`: torque that the wheels may be given. `active`: it takes torque away."""

    def __init__(self):
        self.front_dnm = 0
        self.rear_dnm = 0
        self.active = False

    def step(self, front_dnm, rear_dnm):
        """Once a tick, after the split."""
        self.front_dnm = front_dnm
        self.rear_dnm = rear_dnm

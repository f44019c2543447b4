"""Place of the slip control in the chain: it may lower an axle's torque, never raise it.

It lowers nothing: on slippery ground the stability controller's TorqueMax and the ABS are what protects (limits.py).
"""


def step(s):
    """Once a tick, after the split: would lower split_front_dnm and split_rear_dnm."""

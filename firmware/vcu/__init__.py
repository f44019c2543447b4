"""Vehicle control unit of a car with two driven axles.

A tick goes through the house in this order (see `tick.py`):
can_port, receive -> motion, axle, pedals, gear, hv -> faults, states -> demand, limits, split, slip, slew
-> monitor -> commands, status -> can_port.
"""

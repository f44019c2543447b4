"""Splitting torque between the axles, offline: loss maps of the drive units, the threshold table, the best split.

The optimum of two like units is bang-bang: one axle alone, the other one's gates off, under a threshold of summed
torque; both above it. The table of that threshold against speed goes into the calibration; `optimum.py` has what it is
measured against.
"""

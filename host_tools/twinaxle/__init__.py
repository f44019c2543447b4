"""Host tools of twinaxle: protocol, firmware build, calibration and the `twinaxle` command."""

__version__ = "0.1.0"

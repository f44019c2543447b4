"""`twinaxle dbc diff`: what differs between two DBC files in meaning, and whether nodes of both still fit together."""

from twinaxle.dbc.diff.change import Change, Impact
from twinaxle.dbc.diff.compare import compare

__all__ = ["Change", "Impact", "compare"]

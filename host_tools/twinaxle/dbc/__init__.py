"""The protocol: database model, host codec and the generator of the firmware's codec. All of it comes from the DBC."""

from twinaxle.dbc.database import load_database, powertrain
from twinaxle.dbc.model import Database, E2eSpec, Message, Signal

__all__ = ["Database", "E2eSpec", "Message", "Signal", "load_database", "powertrain"]

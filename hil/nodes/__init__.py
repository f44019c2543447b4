"""The virtual nodes: two inverters, the battery, the driver's controls with a driver, the brake controller."""

from hil.nodes.base import Node
from hil.nodes.bms import Bms
from hil.nodes.driver import Driver
from hil.nodes.esc import Esc
from hil.nodes.follower import Follower
from hil.nodes.inverter import Inverter
from hil.nodes.pedals import Pedals

__all__ = ["Bms", "Driver", "Esc", "Follower", "Inverter", "Node", "Pedals"]

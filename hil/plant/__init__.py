"""The physics of the virtual car."""

from hil.plant.parameters import Parameters, load_parameters
from hil.plant.plant import Plant

__all__ = ["Parameters", "Plant", "load_parameters"]

"""The board's pins: levels that it drives, levels and voltages that come from outside."""

from collections.abc import Callable

from hil.board.pyboard import PIN_COUNT, pin_number

ADC_MAX_MV = 3300


class Pins:
    """Pins by the names of `hil.board.pyboard` or by number. What comes from outside stays over resets.

    All that take a name raise UserError for one that the board does not have.
    """

    def __init__(self) -> None:
        self.inputs: dict[int, bool] = {}
        """Levels from outside by number."""
        self.adc_mv: dict[int, int] = {}
        """Voltages from outside by number, mV."""
        self._outputs = [False] * PIN_COUNT
        self._listeners: dict[int, list[Callable[[bool], None]]] = {}

    def level(self, name: str) -> bool:
        """What the board puts out."""
        return self._outputs[pin_number(name)]

    def listen(self, name: str, action: Callable[[bool], None]) -> None:
        """Call `action(level)` each time that a driven pin changes."""
        self._listeners.setdefault(pin_number(name), []).append(action)

    def set_input(self, name: str, level: bool) -> int:
        """Drive a pin from outside; returns its number."""
        number = pin_number(name)
        self.inputs[number] = level
        return number

    def set_adc(self, name: str, millivolts: float) -> tuple[int, int]:
        """Put a voltage on a pin; returns its number and what the board sees of it, mV."""
        number = pin_number(name)
        self.adc_mv[number] = value = min(max(round(millivolts), 0), ADC_MAX_MV)
        return number, value

    def drive(self, number: int, level: bool) -> None:
        """The board puts out a level."""
        if self._outputs[number] != level:
            self._outputs[number] = level
            for action in tuple(self._listeners.get(number, ())):
                action(level)

    def release(self) -> None:
        """Reset or loss of power: all pins are inputs, which read low outside (pull-down)."""
        for number in range(PIN_COUNT):
            self.drive(number, False)

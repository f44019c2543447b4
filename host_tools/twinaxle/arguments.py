"""Argument types that commands share."""


def listed(text: str) -> list[str]:
    """The parts of a list such as `A,B` or `A B`; for options with `action="extend"`."""
    return text.replace(",", " ").split()

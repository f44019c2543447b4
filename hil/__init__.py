"""Hardware-in-the-loop bench: `from hil import Bench`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hil.bench import Bench

__all__ = ["Bench"]


def __getattr__(name: str) -> Any:
    """`Bench` on demand: it brings the whole bench with it, which a tool that only wants the bus does not need."""
    if name == "Bench":
        from hil.bench import Bench

        return Bench
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Compiled code: plain Python functions over plain structures, made into machine code by numba.

A structure is a class whose annotations lay out its memory (`@structure`), so that Python reads and writes the very
numbers that compiled code works on. A compiled function takes structures and numbers. Its source is the only source:
with NUMBA_DISABLE_JIT=1 in the environment the same functions run as Python, on the same structures, and a test holds
both equal.

Machine code is kept beside its source (`__pycache__`, or numba's own cache folder where that cannot be written) and
made anew when the source file changes. numba looks at that one file only, so a compiled function calls no compiled
function of another module, and takes from other modules only what cannot change it: a test checks it.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import Structure, c_bool, c_double, c_int64
from inspect import get_annotations
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound=type[Structure])

_C_TYPES: dict[Any, Any] = {float: c_double, int: c_int64, bool: c_bool}


def compiled(function: F) -> F:
    """The function as machine code: no Python objects, integers of 64 bits, IEEE doubles, no check of indices."""
    return cast(F, numba.njit(cache=True)(function))


def structure(cls: S) -> S:
    """Lay out a ctypes Structure by its annotations: float, int (64 bits), bool, another structure, or an array as
    `Annotated[..., c_int64 * 8]`.
    """
    hints = get_type_hints(cls, include_extras=True)
    fields = []
    for name in get_annotations(cls):
        kind = hints[name]
        fields.append((name, get_args(kind)[1] if get_origin(kind) is Annotated else _C_TYPES.get(kind, kind)))
    cls._fields_ = fields
    return cls


def memory(struct: Structure) -> Any:
    """A structure as compiled functions take it: an array of one record over the same memory.

    Without the compiler it is a list with the structure itself. Either way `memory(s)[0]` has the fields.
    """
    if vars(numba.config)["DISABLE_JIT"]:
        return [struct]
    return np.frombuffer(struct, dtype=np.dtype(type(struct)))  # type: ignore[call-overload]


__all__ = ["compiled", "memory", "structure"]

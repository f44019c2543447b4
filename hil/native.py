"""Compiled code: plain Python functions over plain structures, made into machine code by numba.

A structure is a class whose annotations lay out its memory (`@structure`), so that Python reads and writes the very
numbers that compiled code works on. Python hands it to a compiled entry function as `memory(s)`; there `s = at(memory)`
with `at = access(TheStructure)` has the fields again. The source is the only source: with NUMBA_DISABLE_JIT=1 in the
environment the same functions run as Python on the same structures, and tests hold both equal.

Machine code is kept in `__pycache__/native-*` beside this file, or in numba's own folder where that cannot be written.
It is made anew when one of the files that it is made of changes: those with compiled functions, and those that say
`FROZEN` because compiled functions take constants from them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from ctypes import Structure, addressof, c_bool, c_double, c_int64
from inspect import get_annotations
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

import numba
import numpy as np
from numba import carray, types  # type: ignore[attr-defined]
from numba.core import cgutils
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound=type[Structure])
T = TypeVar("T", bound=Structure)

FROZEN = True
"""A module with this name in it is compiled into others."""

_C_TYPES: dict[Any, Any] = {float: c_double, int: c_int64, bool: c_bool}
_CONFIG = vars(numba.config)
_HERE = Path(__file__).parent


def _cache_folder() -> Path | None:
    """The folder for this state of the sources; those of others are removed. None where nothing can be written."""
    digest = hashlib.sha256()
    for path in sorted(_HERE.rglob("*.py")):
        text = path.read_bytes()
        if b"@compiled" in text or b"FROZEN" in text:
            digest.update(path.name.encode() + text)
    folder = _HERE / "__pycache__" / f"native-{digest.hexdigest()[:16]}"
    if not folder.exists():
        for old in folder.parent.glob("native-*"):
            if old != folder:  # another process may just be filling it
                shutil.rmtree(old, ignore_errors=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


_CACHE = _cache_folder()


def compiled(function: F) -> F:
    """The function as machine code: no Python objects, integers of 64 bits, IEEE doubles, no check of indices."""
    before = _CONFIG["CACHE_DIR"]
    if _CACHE is not None and not before:
        _CONFIG["CACHE_DIR"] = str(_CACHE)
    try:
        return cast(F, numba.njit(cache=True)(function))
    finally:
        _CONFIG["CACHE_DIR"] = before


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
    """A structure as entry functions take it: its address, or itself where nothing is compiled.

    The structure must live as long as the address is used.
    """
    return struct if _CONFIG["DISABLE_JIT"] else addressof(struct)


def address(struct: Structure) -> int:
    """Where a structure lies: `memory` as a number, for structures that refer to others."""
    return addressof(struct)


def kept_in(struct: str, field: str) -> Any:
    """A property of an object that stands in one of its structures, where compiled code reads it."""

    def get(owner: Any) -> Any:
        return getattr(getattr(owner, struct), field)

    def put(owner: Any, value: Any) -> None:
        setattr(getattr(owner, struct), field, value)

    return property(get, put)


@intrinsic
def _pointer(typing_context: Any, address: Any) -> Any:
    """An integer as a pointer."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(address), code


def access(kind: type[T]) -> Callable[[Any], T]:
    """For compiled code: the function that makes `memory` a structure of this kind again."""
    if _CONFIG["DISABLE_JIT"]:
        return lambda where: kind.from_address(where) if isinstance(where, int) else cast(T, where)
    layout = np.dtype(kind)

    def at(address: int) -> Any:
        return carray(_pointer(address), 1, layout)[0]  # type: ignore[call-arg]

    return cast(Callable[[Any], T], numba.njit(at))


__all__ = ["access", "address", "compiled", "kept_in", "memory", "structure"]

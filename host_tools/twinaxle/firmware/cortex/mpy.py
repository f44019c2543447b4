"""Reads .mpy files (version 6): the machine code of the viper functions and what it refers to.

The format is that of MicroPython's py/persistentcode.c: header, names (qstr), constant objects, then the module's code
with the code of its functions as children, in the order in which they stand in the source.
"""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.firmware.build import BOARD_MARCH, compile_source
from twinaxle.firmware.signs import without_sign_idiom

_VERSION = 6
_SCOPES = (
    *(ast.FunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp),
)
_ARCH_FLAGS = 0x40  # in the header's third byte: one more number follows


class Kind(IntEnum):
    """How a function's code is to be run."""

    BYTECODE = 0
    NATIVE = 1
    VIPER = 2
    ASSEMBLER = 3


class FunctionTable:
    """Stands in a module's constants for the table of runtime functions that machine code calls."""


FUNCTION_TABLE = FunctionTable()


@dataclass(frozen=True)
class Code:
    """Code of a module or of a function."""

    kind: Kind
    data: bytes
    children: tuple["Code", ...]

    def walk(self) -> Iterator["Code"]:
        """This code and all below it, each before its children."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Module:
    """A compiled module. A name that every MicroPython knows is stored as its number: an int."""

    names: tuple[str | int, ...]
    constants: tuple[object, ...]
    """None, bool, str, bytes, int, float, tuple or FUNCTION_TABLE."""
    code: Code


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.content):
            raise UserError("the .mpy file ends in the middle of something: it was not written whole.")
        self.at += size
        return self.content[self.at - size : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        value = 0
        while True:
            byte = self.byte()
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                return value

    def name(self) -> str | int:
        size = self.number()
        if size & 1:
            return size >> 1
        return self.take((size >> 1) + 1)[:-1].decode()

    def constant(self) -> object:
        kind = self.byte()
        if kind <= 4:
            return (FUNCTION_TABLE, None, False, True, ...)[kind]
        size = self.number()
        if kind == 10:
            return tuple(self.constant() for _ in range(size))
        if kind in (5, 6):
            raw = self.take(size + 1)[:-1]
            return raw.decode() if kind == 5 else raw
        text = self.take(size).decode()
        return int(text) if kind == 7 else float(text)

    def code(self) -> Code:
        head = self.number()
        kind = Kind(head & 3)
        data = self.take(head >> 3)
        if kind is Kind.NATIVE:
            self.number()  # offset of the prelude
        elif kind is not Kind.BYTECODE:
            if self.number() & 0x70:
                raise UserError("the .mpy file has machine code with relocations, which mpy-cross does not write.")
            if kind is Kind.ASSEMBLER:
                self.number()
                self.number()
        count = self.number() if head & 4 else 0
        return Code(kind, data, tuple(self.code() for _ in range(count)))


def read_mpy(content: bytes) -> Module:
    """The module in a .mpy file. Raises UserError for another format."""
    reader = _Reader(content)
    magic, version, features, _ = reader.take(4)
    if magic != ord("M") or version != _VERSION:
        raise UserError(f"not a .mpy file of version {_VERSION}.")
    if features & _ARCH_FLAGS:
        reader.number()
    names, constants = reader.number(), reader.number()
    return Module(
        tuple(reader.name() for _ in range(names)), tuple(reader.constant() for _ in range(constants)), reader.code()
    )


def compile_module(path: Path, name: str) -> Module:
    """Compile a source file for the board as module `name`, as build.py does. Raises UserError where it does not
    compile.
    """
    source = without_sign_idiom(path.read_text(encoding="utf-8"))
    return read_mpy(compile_source(path, name, source.encode(), BOARD_MARCH))


def viper_functions(tree: ast.Module, code: Code) -> dict[str, Code]:
    """Qualified name -> machine code, of every viper function in a module of this source tree.

    Raises UserError when source and code do not belong together.
    """
    return dict(_pairs(tree.body, code, ""))


def _pairs(body: list[ast.stmt], code: Code, prefix: str) -> Iterator[tuple[str, Code]]:
    """Scopes in the order of the source are the children in the order of the file."""
    scopes = [scope for statement in body for scope in _scopes(statement)]
    if len(scopes) != len(code.children):
        raise UserError(f"{len(scopes)} functions in the source, {len(code.children)} in the compiled code.")
    for scope, child in zip(scopes, code.children, strict=True):
        if isinstance(scope, ast.ClassDef):
            yield from _pairs(scope.body, child, f"{prefix}{scope.name}.")
        elif isinstance(scope, ast.FunctionDef):
            if child.kind is Kind.VIPER:
                yield f"{prefix}{scope.name}", child
            yield from _pairs(scope.body, child, f"{prefix}{scope.name}.<locals>.")


def _scopes(node: ast.AST) -> Iterator[ast.AST]:
    """Functions, classes, lambdas and comprehensions directly below a statement, not those inside them."""
    if isinstance(node, _SCOPES):
        yield node
    else:
        for child in ast.iter_child_nodes(node):
            yield from _scopes(child)


@functools.cache
def static_names(identifiers: frozenset[str]) -> dict[int, str]:
    """Number -> name, of those identifiers that every MicroPython knows: the compiler stores only their numbers.

    The compiler tells: in a module that mentions one name after the other, they stand in its table in this order.
    """
    wanted = sorted(identifiers)
    source = "".join(f"_probe_.{name}\n" for name in wanted).encode()
    module = read_mpy(compile_source(Path("probe.py"), "probe.py", source, BOARD_MARCH))
    known = [name for name in module.names if name not in ("probe.py", "_probe_")]
    # "<module>" comes between the file's name and the probe's.
    mentioned = known[len(known) - len(wanted) :]
    return {number: name for number, name in zip(mentioned, wanted, strict=True) if isinstance(number, int)}

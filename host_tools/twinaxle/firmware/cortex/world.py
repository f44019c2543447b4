"""The firmware under CPython, with every viper function in the board's machine code on the emulated Cortex-M4.

What MicroPython would interpret, CPython runs from the source; arrays and buffers lie in the emulated RAM. The modules
of the board (`machine`, `time` and others) are given by the caller, as source files that MicroPython could import too.
"""

import __future__

import ast
import builtins
import types
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from twinaxle.errors import UserError
from twinaxle.firmware.cortex.interpreted import CHARGE, charge_functions
from twinaxle.firmware.cortex.machine import Machine
from twinaxle.firmware.cortex.memory import new_array, new_bytes, new_view
from twinaxle.firmware.cortex.mpy import FunctionTable, compile_module, static_names, viper_functions

_ANNOTATIONS = __future__.annotations.compiler_flag  # ptr8 and its like are names only to the compiler


class World:
    """Imports firmware modules. `folders` are searched in order, `modules` are there already; what is interpreted of
    the modules in `firmware` is charged.

    `machine` has the counts, `interpreted` the instructions charged for each interpreted function.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        modules: Mapping[str, types.ModuleType] | None = None,
        firmware: Path | None = None,
    ) -> None:
        self.machine = Machine()
        self.interpreted: Counter[str] = Counter()
        self.folders = tuple(folders)
        self._firmware = firmware
        self.modules: dict[str, types.ModuleType] = {"array": self._array_module(), **(modules or {})}
        self._builtins = vars(builtins) | {
            "__import__": self._import,
            "bytearray": partial(new_bytes, self.machine.ram),
            "memoryview": partial(new_view, self.machine.ram),
            CHARGE: self._charge_interpreted,
        }

    def load(self, name: str) -> Any:
        """Import a module (`vcu.app`). Raises UserError where there is none."""
        found = self.modules.get(name)
        if found is not None:
            return found
        path = self._find(name)
        module = self.modules[name] = types.ModuleType(name)
        scope = vars(module)
        scope["__builtins__"] = self._builtins
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(self.load(parent), last, module)
        if path.is_dir():
            path = path / "__init__.py"
            if not path.is_file():
                return module
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source, str(path))
        scope["micropython"] = micropython = types.ModuleType("micropython")
        self._micropython(micropython, path, name, tree, scope)
        program = ast.parse(source, str(path))
        if self._firmware is not None and path.is_relative_to(self._firmware):
            charge_functions(program, name, self.machine.costs["bytecode"])
        before = self.modules.get("micropython")
        self.modules["micropython"] = micropython
        try:
            exec(compile(program, str(path), "exec", flags=_ANNOTATIONS), scope)
        finally:
            if before is None:
                del self.modules["micropython"]
            else:
                self.modules["micropython"] = before
        return module

    def _charge_interpreted(self, function: str, instructions: int) -> None:
        self.interpreted[function] += instructions

    def _find(self, name: str) -> Path:
        relative = Path(*name.split("."))
        for folder in self.folders:
            for path in (folder / relative.with_suffix(".py"), folder / relative):
                if path.exists():
                    return path
        raise UserError(f"the firmware imports {name}, which is in none of {', '.join(map(str, self.folders))}")

    def _import(self, name: str, *_: Any) -> Any:
        fromlist = _[2] if len(_) > 2 else ()
        module = self.load(name)
        if not fromlist:
            return self.load(name.partition(".")[0])
        for wanted in fromlist:
            if not hasattr(module, wanted):
                self.load(f"{name}.{wanted}")
        return module

    def _array_module(self) -> types.ModuleType:
        module = types.ModuleType("array")
        vars(module)["array"] = partial(new_array, self.machine.ram)
        return module

    def _micropython(
        self, module: types.ModuleType, path: Path, name: str, tree: ast.Module, scope: dict[str, Any]
    ) -> None:
        """The module `micropython` as one firmware module sees it: its decorator knows that module's machine code."""
        link = _Link(self.machine, path, name, tree, scope)
        vars(module).update(
            const=lambda value: value,
            native=lambda function: function,
            viper=link.function,
            heap_lock=lambda: None,
            heap_unlock=lambda: 0,
            kbd_intr=lambda _: None,
        )


class _Link:
    """Machine code of one module, loaded and linked when its first viper function is defined."""

    def __init__(self, machine: Machine, path: Path, name: str, tree: ast.Module, scope: dict[str, Any]) -> None:
        self._machine = machine
        self._path = path
        self._name = name
        self._tree = tree
        self._scope = scope
        self._entries: dict[str, int] | None = None
        self._names: list[str] = []
        self._fun = 0

    def _load(self) -> dict[str, int]:
        machine = self._machine
        module = compile_module(self._path, self._name.replace(".", "/") + ".py")
        known = static_names(frozenset(_identifiers(self._tree)))
        self._names = [known.get(name, "") if isinstance(name, int) else name for name in module.names]
        # A name's number is its place in this module's own table, so the table maps each place to itself.
        names = machine.halfwords(*range(len(module.names)))
        constants = machine.words(
            *(
                machine.function_table if isinstance(item, FunctionTable) else machine.to_object(item)
                for item in module.constants
            )
        )
        scope = machine.words(0)  # only its address matters
        context = machine.words(0, scope, names, constants)
        self._fun = machine.words(0, context, 0, 0)
        return {name: machine.load_code(code.data) for name, code in viper_functions(self._tree, module.code).items()}

    def function(self, python: Any) -> Any:
        """What `@micropython.viper` makes of a function."""
        if self._entries is None:
            self._entries = self._load()
        entry = self._entries[python.__qualname__]
        name = f"{self._name}.{python.__qualname__}"

        closed = python.__closure__ or ()
        if len(closed) > 1:
            raise UserError(f"{name} closes over {', '.join(python.__code__.co_freevars)}; only one is emulated.")
        cells: list[int] = []

        def viper(*args: Any) -> Any:
            if closed and not cells:  # what is closed over may be set after the function's definition
                cells.append(self._machine.cell(closed[0].cell_contents))
            return self._machine.call(name, entry, self._fun, self._names, self._scope, args, tuple(cells))

        viper.viper_name = name  # type: ignore[attr-defined]
        viper.call_kind = "closure" if closed else "function"  # type: ignore[attr-defined]
        return viper


def _identifiers(tree: ast.Module) -> set[str]:
    """Every name and attribute in a module."""
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return found | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

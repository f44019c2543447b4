"""Source of the firmware for an interpreter without native code (march "bytecode").

MicroPython has no code emitter for 64-bit ARM, so the interpreter of PyPI on macOS cannot run viper functions. There
they run as plain functions: a pointer is an address, and what it points at is read and written byte by byte through one
bytearray that covers all memory. Loads have no sign, as in viper on any 64-bit machine; only overflow past 62 bits
differs. It is slower, allocates nothing, and outside the viper functions every line keeps its number.
"""

import ast

BYTECODE = "bytecode"

_SIZES = {"ptr8": 8, "ptr16": 16, "ptr32": 32}

# Behind the module's last line, so that lines stay: functions look these up when they are called. A module therefore
# must not call its own viper functions while it is imported.
_HELPERS = """
import uctypes as _viper_c
_viper_m = _viper_c.bytearray_at(0, 1 << 62)
def _viper_at(x):
    return x if type(x) is int else _viper_c.addressof(x)
def _viper_uint(x):
    return x & 0xFFFFFFFF
def _viper_load8(p, i):
    return _viper_m[p + i]
def _viper_load16(p, i):
    p += i << 1
    return _viper_m[p] | _viper_m[p + 1] << 8
def _viper_load32(p, i):
    p += i << 2
    m = _viper_m
    return m[p] | m[p + 1] << 8 | m[p + 2] << 16 | m[p + 3] << 24
def _viper_store8(p, i, v):
    _viper_m[p + i] = v & 255
def _viper_store16(p, i, v):
    p += i << 1
    _viper_m[p] = v & 255
    _viper_m[p + 1] = v >> 8 & 255
def _viper_store32(p, i, v):
    p += i << 2
    m = _viper_m
    m[p] = v & 255
    m[p + 1] = v >> 8 & 255
    m[p + 2] = v >> 16 & 255
    m[p + 3] = v >> 24 & 255
"""


def without_native(source: str) -> str:
    """`source` without viper and native functions; unchanged where it has none. Raises SyntaxError as `ast.parse`."""
    lines = source.split("\n")
    has_viper = False
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef):
            continue
        emitters = {ast.unparse(decorator) for decorator in node.decorator_list}
        if "micropython.viper" in emitters:
            has_viper = True
            _replace(lines, node, _plain(node))
        elif "micropython.native" in emitters:
            for decorator in node.decorator_list:
                lines[decorator.lineno - 1] = ""
    return "\n".join(lines).rstrip("\n") + "\n" + _HELPERS.lstrip("\n") if has_viper else source


def _replace(lines: list[str], node: ast.FunctionDef, text: str) -> None:
    """Put `text` where the function stands, in as many lines as it had."""
    first, last = node.decorator_list[0].lineno - 1, node.end_lineno or node.lineno
    indent = " " * node.col_offset
    new = [indent + line for line in text.split("\n")]
    room = last - first
    if len(new) > room:  # a statement of many lines became one, never the other way round
        raise AssertionError(f"{node.name}: {len(new)} lines do not fit into {room}")
    lines[first:last] = [""] * (room - len(new)) + new


def _plain(node: ast.FunctionDef) -> str:
    """The viper function as a plain one."""
    sizes = _pointers(node)
    arguments = [argument.arg for argument in node.args.args]
    body: list[ast.stmt] = []
    for statement in node.body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # docstring
        body.append(_Memory(sizes).visit(statement))
    # On one line: there may be no room for more. Not as a tuple, which would allocate.
    converted = "; ".join(f"{name} = _viper_at({name})" for name in arguments if name in sizes)
    plain = ast.Module(body or [ast.Pass()], [])
    lines = [converted] * bool(converted) + ast.unparse(ast.fix_missing_locations(plain)).split("\n")
    return f"def {node.name}({', '.join(arguments)}):\n" + "\n".join("    " + line for line in lines)


def _pointers(node: ast.FunctionDef) -> dict[str, int]:
    """Name -> bits of the element, of every pointer in the function. Viper's names have one type each."""
    sizes = {
        argument.arg: _SIZES[argument.annotation.id]
        for argument in node.args.args
        if isinstance(argument.annotation, ast.Name) and argument.annotation.id in _SIZES
    }
    for statement in sorted(
        (item for item in ast.walk(node) if isinstance(item, ast.Assign)), key=lambda item: item.lineno
    ):
        size = _size(statement.value, sizes)
        for target in statement.targets:
            if size and isinstance(target, ast.Name):
                sizes[target.id] = size
    return sizes


def _size(expression: ast.expr, sizes: dict[str, int]) -> int:
    """Bits of the element that a pointer expression points at; 0 for no pointer."""
    if isinstance(expression, ast.Name):
        return sizes.get(expression.id, 0)
    if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name):
        return _SIZES.get(expression.func.id, 0)
    return 0


class _Memory(ast.NodeTransformer):
    """Turns what a pointer does into calls of the helpers."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.sizes = sizes

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name):
            if node.func.id in _SIZES:
                node.func.id = "_viper_at"
            elif node.func.id == "uint":
                node.func.id = "_viper_uint"
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        size = _size(node.value, self.sizes)
        self.generic_visit(node)
        if not size or not isinstance(node.ctx, ast.Load):
            return node
        return _call(f"_viper_load{size}", node.value, node.slice)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        target = node.targets[0]
        size = _size(target.value, self.sizes) if isinstance(target, ast.Subscript) else 0
        self.generic_visit(node)
        if not size or not isinstance(target, ast.Subscript):
            return node
        assert len(node.targets) == 1, "one target a store"
        return ast.Expr(_call(f"_viper_store{size}", target.value, target.slice, node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        target = node.target
        size = _size(target.value, self.sizes) if isinstance(target, ast.Subscript) else 0
        self.generic_visit(node)
        if not size or not isinstance(target, ast.Subscript):
            return node
        value = ast.BinOp(_call(f"_viper_load{size}", target.value, target.slice), node.op, node.value)
        return ast.Expr(_call(f"_viper_store{size}", target.value, target.slice, value))


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])

"""Charges for what MicroPython interprets: each run of a function's statements gets a call that says what it costs.

The cost is that of the expressions, by the table `[bytecode]` of costs.toml. Both sides of a conditional expression
are charged, and all operands of `and` and `or`: never too little.
"""

import ast
from collections.abc import Mapping

CHARGE = "__charge__"
"""Name of the function that the changed code calls with (function's name, instructions)."""


def charge_functions(tree: ast.Module, module: str, costs: Mapping[str, float]) -> None:
    """Change `tree` in place: its interpreted functions and methods call CHARGE. Viper functions stay as they are."""
    constants = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "const"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in tree.body:
        inside = isinstance(node, ast.ClassDef)
        for function in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(function, ast.FunctionDef) and "viper" not in map(_last_name, function.decorator_list):
                name = f"{node.name}.{function.name}" if inside else function.name  # type: ignore[attr-defined]
                charger = _Charger(f"{module}.{name}", costs, constants, function)
                function.body = charger.block(function.body, costs["enter"])
    ast.fix_missing_locations(tree)


def _last_name(decorator: ast.expr) -> str:
    return ast.unparse(decorator).rpartition(".")[2]


class _Charger:
    """Puts charges into one function."""

    def __init__(self, name: str, costs: Mapping[str, float], constants: set[str], function: ast.FunctionDef) -> None:
        self._name = name
        self._costs = costs
        self._constants = constants
        self._locals = {argument.arg for argument in function.args.args} | {
            node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }

    def block(self, statements: list[ast.stmt], cost: float = 0) -> list[ast.stmt]:
        """The statements with charges between them; `cost` is due on the way in."""
        result: list[ast.stmt] = []
        run: list[ast.stmt] = []
        for statement in statements:
            cost += self._own(statement)
            run.append(statement)
            if self._divide(statement):
                result += [self._charge(cost), *run]
                run, cost = [], 0
        return result + ([self._charge(cost), *run] if run else [])

    def _divide(self, statement: ast.stmt) -> bool:
        """Put charges into the blocks inside of a statement; whether there are any."""
        if isinstance(statement, ast.FunctionDef):
            return False  # another function
        again: float = 0
        if isinstance(statement, ast.While):
            again = self._expression(statement.test) + self._costs["branch"]
        elif isinstance(statement, ast.For):
            again = self._costs["iterate"]
        blocks = False
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(statement, field, None)
            if inner:
                setattr(statement, field, self.block(inner, again if field == "body" else 0))
                blocks = True
        for handler in getattr(statement, "handlers", ()):
            handler.body = self.block(handler.body)
        return blocks

    def _own(self, statement: ast.stmt) -> float:
        """Instructions of a statement without the blocks inside of it."""
        own = sum(self._expression(node) for node in ast.iter_child_nodes(statement) if isinstance(node, ast.expr))
        if isinstance(statement, ast.AugAssign):
            target = statement.target
            loaded: ast.expr = target
            if isinstance(target, ast.Attribute):
                loaded = ast.Attribute(target.value, target.attr, ast.Load())
            own += self._expression(loaded) + self._costs["operator"]
        return own + (self._costs["branch"] if isinstance(statement, ast.If | ast.While) else 0)

    def _expression(self, node: ast.AST) -> float:
        costs = self._costs
        if isinstance(node, ast.Name):
            if node.id in self._constants:
                return costs["constant"]
            return costs["local"] if node.id in self._locals else costs["global"]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            arguments = sum(map(self._expression, node.args))
            return costs["call"] + costs["load_method"] + self._expression(node.func.value) + arguments
        own = 0.0
        if isinstance(node, ast.Attribute):
            own = costs["store_attr" if isinstance(node.ctx, ast.Store) else "load_attr"]
        elif isinstance(node, ast.Constant):
            own = costs["constant"]
        else:
            for kinds, kind in _KINDS:
                if isinstance(node, kinds):
                    own = costs[kind]
        return own + sum(map(self._expression, ast.iter_child_nodes(node)))

    def _charge(self, cost: float) -> ast.stmt:
        call = ast.Call(ast.Name(CHARGE, ast.Load()), [ast.Constant(self._name), ast.Constant(round(cost))], [])
        return ast.Expr(call)


_KINDS: tuple[tuple[tuple[type[ast.AST], ...], str], ...] = (
    ((ast.Subscript,), "subscr"),
    ((ast.BinOp, ast.UnaryOp), "operator"),
    ((ast.Compare,), "compare"),
    ((ast.IfExp, ast.BoolOp), "branch"),
    ((ast.Call,), "call"),
)

"""Attributes: definitions, defaults, and the values that are set."""

from collections.abc import Iterator

from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.send_types import normal_name
from twinaxle.dbc.syntax import Document
from twinaxle.dbc.syntax.document import is_relation
from twinaxle.dbc.syntax.tree import Assignment, Default, Definition, Value, plain

KINDS = {
    "": "the file", "BU_": "nodes", "BO_": "messages", "SG_": "signals", "EV_": "environment variables",
    "BU_SG_REL_": "a node and a signal", "BU_BO_REL_": "a node and a message", "BU_EV_REL_": "a node and a variable",
}  # fmt: skip


FREE = {"notused", "unused", "reserved", "none", ""}  # names of values that mean nothing


def _used(document: Document) -> Iterator[tuple[Assignment | Default, Definition | None]]:
    """Each value and default with the definition that it belongs to."""
    used: list[Assignment | Default] = [*document.tree.assignments, *document.tree.defaults]
    for one in used:
        yield one, document.definitions.get((one.relation, one.name.text))


@rule("undefined-attribute", Severity.ERROR, "an attribute without BA_DEF_")
def undefined_attribute(document: Document) -> Iterator[Hit]:
    unread = document.tree.unread & {"BA_DEF_", "BA_DEF_REL_"}
    for one, definition in _used(document):
        if definition is None and not unread:
            statement = "BA_DEF_REL_" if one.relation else "BA_DEF_"
            yield Hit(one.name.at, f"attribute {one.name.text} is used but not defined: it needs a {statement} line")


@rule("attribute-without-default", Severity.WARNING, "an attribute without BA_DEF_DEF_")
def attribute_without_default(document: Document) -> Iterator[Hit]:
    for definition in document.tree.definitions:
        relation = is_relation(definition.kind)
        if (relation, definition.name.text) not in document.defaults:
            statement = "BA_DEF_DEF_REL_" if relation else "BA_DEF_DEF_"
            yield Hit(definition.at, f"attribute {definition.name.text} has no default: add a {statement} line")


@rule("attribute-definition", Severity.ERROR, "a definition that no value can fit")
def attribute_definition(document: Document) -> Iterator[Hit]:
    for definition in document.tree.definitions:
        name = definition.name.text
        low, high = definition.minimum, definition.maximum
        if low is not None and high is not None and low > high:
            yield Hit(definition.at, f"attribute {name}: minimum {plain(low)} is above maximum {plain(high)}")
        if definition.type == "ENUM" and not definition.values:
            yield Hit(definition.at, f"attribute {name} is an ENUM without values")


@rule("duplicate-enum-value", Severity.STYLE, "an ENUM that has a value twice")
def duplicate_enum_value(document: Document) -> Iterator[Hit]:
    """Places that are kept free have one name in many files."""
    for definition in document.tree.definitions:
        values = [value for value in definition.values if normal_name(value) not in FREE]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            names = ", ".join(twice)
            yield Hit(definition.at, f"attribute {definition.name.text} has values twice ({names}): name each once")


@rule("attribute-owner", Severity.ERROR, "an attribute on a thing that it is not defined for")
def attribute_owner(document: Document) -> Iterator[Hit]:
    for assignment in document.tree.assignments:
        definition = document.definitions.get((assignment.relation, assignment.name.text))
        if definition and definition.kind != assignment.target.kind:
            text = f"attribute {assignment.name.text} is defined for {KINDS[definition.kind]}"
            yield Hit(assignment.at, f"{text}, here it is set for {KINDS[assignment.target.kind]}")


@rule("attribute-type", Severity.ERROR, "a value of the wrong type")
def attribute_type(document: Document) -> Iterator[Hit]:
    for one, definition in _used(document):
        if definition:
            fault = _type_fault(definition, one.value)
            if fault:
                yield Hit(one.value.at, f"attribute {one.name.text}: {one.value} is {fault}")


def _type_fault(definition: Definition, value: Value) -> str:
    if isinstance(value.value, str):
        return "" if definition.type in ("STRING", "ENUM") else f"a string, but {definition.type} wants a number"
    if definition.type == "STRING":
        return "a number, but STRING wants quotes"
    if definition.type != "FLOAT" and value.value != int(value.value):
        return f"no integer, as {definition.type} wants"
    return ""


@rule("attribute-range", Severity.ERROR, "a value outside of its definition")
def attribute_range(document: Document) -> Iterator[Hit]:
    for one, definition in _used(document):
        # An empty default of an ENUM stands for none.
        has_none = isinstance(one, Default) and one.value.value == ""
        fault = _range_fault(definition, one.value.value) if definition and not has_none else ""
        if fault:
            yield Hit(one.value.at, f"attribute {one.name.text}: {one.value} is {fault}")


def _range_fault(definition: Definition, value: float | str) -> str:
    if definition.type == "ENUM":
        known = ", ".join(definition.values)
        if isinstance(value, str):
            return "" if value in definition.values else f"none of its values ({known})"
        return "" if 0 <= value < len(definition.values) else f"past the last of its values ({known})"
    low, high = definition.minimum, definition.maximum
    # 0 0 stands for no limits.
    if isinstance(value, str) or low is None or high is None or (low, high) == (0, 0) or low > high:
        return ""
    return "" if low <= value <= high else f"not in {plain(low)} to {plain(high)}"

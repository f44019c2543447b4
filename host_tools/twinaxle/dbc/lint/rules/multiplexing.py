"""Selectors, the signals that depend on them, and SG_MUL_VAL_."""

from collections.abc import Iterator

from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.syntax import Document, Message, Signal


def _multiplexed(document: Document) -> Iterator[tuple[Message, list[Signal], list[Signal]]]:
    """Messages with multiplexing, their selectors, and the signals that depend on one."""
    for message in document.messages:
        selectors = [signal for signal in message.signals if signal.is_selector]
        dependent = [signal for signal in message.signals if signal.mux_value is not None]
        if selectors or dependent:
            yield message, selectors, dependent


@rule("mux-without-selector", Severity.ERROR, "a multiplexed signal without a selector")
def mux_without_selector(document: Document) -> Iterator[Hit]:
    for _, selectors, dependent in _multiplexed(document):
        if not selectors:
            for signal in dependent:
                text = f"signal {signal.title} is multiplexed ({signal.line.mux}), but the message has no selector"
                yield Hit(signal.line.name.at, f"{text}: mark one signal with M")


@rule("mux-selector-unused", Severity.WARNING, "a selector that nothing depends on")
def mux_selector_unused(document: Document) -> Iterator[Hit]:
    for _, selectors, dependent in _multiplexed(document):
        for signal in selectors:
            if not any(one.selector == signal.name or not one.selector for one in dependent if one is not signal):
                text = f"signal {signal.title} is a selector, but no signal depends on it: remove the M"
                yield Hit(signal.line.name.at, text)


@rule("mux-selector-ambiguous", Severity.ERROR, "several selectors, and nothing says which one counts")
def mux_selector_ambiguous(document: Document) -> Iterator[Hit]:
    for message, selectors, dependent in _multiplexed(document):
        if len(selectors) < 2:
            continue
        for signal in dependent:
            if signal.mux_ranges is None:
                names = " or ".join(one.name for one in selectors if one is not signal)
                text = f"signal {signal.title} depends on {names}: say on which one by SG_MUL_VAL_"
                yield Hit(signal.line.name.at, text)
        roots = [signal for signal in selectors if signal.mux_value is None]
        if len(roots) > 1 and not dependent:
            yield Hit(roots[1].line.name.at, f"message {message.name} has {len(roots)} selectors: keep one")


@rule("mux-selector-kind", Severity.WARNING, "a selector that is signed, scaled or a float")
def mux_selector_kind(document: Document) -> Iterator[Hit]:
    for _, selectors, _ in _multiplexed(document):
        for signal in selectors:
            scaled = (signal.line.factor, signal.line.offset) != (1, 0)
            if signal.is_signed or signal.is_float or scaled:
                kind = "a float" if signal.is_float else "signed" if signal.is_signed else "scaled"
                text = f"selector {signal.title} is {kind}: its raw value decides, make it unsigned with (1,0)"
                yield Hit(signal.line.layout_at, text)


@rule("mux-value-beyond-raw", Severity.ERROR, "a selector value that the selector cannot have")
def mux_value_beyond_raw(document: Document) -> Iterator[Hit]:
    for message, _, dependent in _multiplexed(document):
        for signal in dependent:
            selector = message.signal_by_name.get(signal.selector)
            if selector is None:
                continue
            top = selector.raw_limits[1]
            for low, high in signal.mux_values:
                if max(low, high) > top:
                    at = signal.mux_ranges.at if signal.mux_ranges else signal.line.name.at
                    text = f"signal {signal.title}: selector value {max(low, high)} is past {top}, the most that "
                    yield Hit(at, f"{text}{selector.name} can have")


@rule("mux-range", Severity.ERROR, "SG_MUL_VAL_ contradicts the message")
def mux_range(document: Document) -> Iterator[Hit]:
    for mux in document.tree.mux_ranges:
        signal = document.find(mux.target)
        if not isinstance(signal, Signal):
            continue
        selector = signal.message.signal_by_name.get(mux.selector.text)
        if selector is None:
            yield Hit(mux.selector.at, f"message {signal.message.name} has no signal {mux.selector.text}")
        elif not selector.is_selector:
            yield Hit(mux.selector.at, f"signal {selector.title} is no selector: mark it with M")
        if signal.mux_value is None:
            yield Hit(mux.at, f"signal {signal.title} is not multiplexed: write m with a number behind its name")
        elif not any(one.low <= signal.mux_value <= one.high for one in mux.ranges):
            yield Hit(mux.at, f"signal {signal.title} has {signal.line.mux}, which is not in its ranges")
        for one in mux.ranges:
            if one.low > one.high:
                yield Hit(one.at, f"range {one.low}-{one.high} of signal {signal.title} runs backwards")


@rule("mux-loop", Severity.ERROR, "selectors that depend on each other in a circle")
def mux_loop(document: Document) -> Iterator[Hit]:
    for message, _, dependent in _multiplexed(document):
        for signal in dependent:
            seen = {signal.name}
            parent = message.signal_by_name.get(signal.selector)
            while parent is not None and parent.name not in seen:
                seen.add(parent.name)
                parent = message.signal_by_name.get(parent.selector)
            if parent is not None and parent.name == signal.name:
                yield Hit(signal.line.name.at, f"signal {signal.title} depends on itself through its selectors")

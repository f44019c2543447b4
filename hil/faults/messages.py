"""Faults of messages and signals, put in between a sender and the bus (HB-04)."""

from __future__ import annotations

from collections.abc import Callable

from hil.bus import Frame, Port
from hil.faults.fault import NS_PER_MS, Fault
from hil.faults.injector import Injector
from hil.faults.payload import Payload
from twinaxle.dbc import Signal
from twinaxle.e2e import COUNTERS
from twinaxle.errors import UserError

Change = Callable[[bytes], bytes]


class MessageFaults(Injector):
    """Each returns a `Fault`. Messages and signals by their names in the database; the sender may be any node on the
    bus.

    Common arguments: `count`: the fault ends after so many frames; `duration_ms`: it ends after this time.
    `e2e`: True sends the changed frame with a CRC that fits it, as a faulty application would; False leaves
    the CRC as it was, as a fault between application and receiver does.
    """

    # --- whole messages ---

    def lose(self, message: str, *, count: int | None = None, duration_ms: float | None = None) -> Fault:
        """The frames don't come out."""
        port = self._sender(message)
        fault = self._begin(f"{message} lost", duration_ms)

        def hook(frame: Frame) -> None:
            fault.hit(count)

        return self._hook(fault, port, message, hook)

    def delay(self, message: str, by_ms: float, *, count: int | None = None, duration_ms: float | None = None) -> Fault:
        """The frames come out later by a time. Raises UserError for a negative one."""
        if by_ms < 0:
            raise UserError(f"{message} cannot be delayed by {by_ms} ms")
        port = self._sender(message)
        fault = self._begin(f"{message} delayed by {by_ms:g} ms", duration_ms)

        def hook(frame: Frame) -> None:
            self.kernel.at(self.kernel.now_ns + round(by_ms * NS_PER_MS), lambda: _send(port, frame))
            fault.hit(count)

        return self._hook(fault, port, message, hook)

    def repeat(
        self, message: str, times: int = 1, *, count: int | None = None, duration_ms: float | None = None
    ) -> Fault:
        """Each frame comes `times` more, with the counter it had, spread over a millisecond each."""
        if times < 1:
            raise UserError(f"{message} cannot be repeated {times} times")
        port = self._sender(message)
        fault = self._begin(f"{message} repeated {times} times", duration_ms)

        def hook(frame: Frame) -> Frame:
            for k in range(1, times + 1):
                self.kernel.at(self.kernel.now_ns + k * NS_PER_MS, lambda: _send(port, frame))
            fault.hit(count)
            return frame

        return self._hook(fault, port, message, hook)

    def corrupt(
        self,
        message: str,
        *,
        bits: int = 1,
        e2e: bool = False,
        count: int | None = None,
        duration_ms: float | None = None,
    ) -> Fault:
        """Seeded bits of the application signals are turned over; the frame itself is a good one on the bus."""
        payload = Payload(self._message(message))
        length = payload.message.length * 8
        open_bits = [b for b in range(length) if not payload.protection_mask >> b & 1]
        if not 1 <= bits <= len(open_bits):
            raise UserError(f"{message} has {len(open_bits)} bits outside its E2E fields; {bits} cannot be turned over")

        def change(data: bytes) -> bytes:
            mask = sum(1 << b for b in self._draw.sample(open_bits, bits))
            return (int.from_bytes(data, "little") ^ mask).to_bytes(len(data), "little")

        return self._changed(f"{message}: {bits} bits turned over", payload, change, e2e, count, duration_ms)

    def destroy(self, message: str, count: int = 1) -> Fault:
        """The next `count` frames are destroyed on the wire: error frame, error counters, automatic repetition."""
        can_id = self._message(message).frame_id
        fault = self._begin(f"{message} destroyed on the wire, {count} frames")

        def matches(frame: Frame) -> bool:
            if not fault.active or frame.can_id != can_id or frame.is_extended:
                return False
            fault.hit(count)
            return True

        fault.on_clear(self.bus.corrupt(matches, count).cancel)
        return fault

    # --- E2E ---

    def wrong_crc(self, message: str, *, count: int | None = None, duration_ms: float | None = None) -> Fault:
        """A CRC that does not fit."""
        payload = Payload(self._message(message))
        payload.require_e2e()

        def change(data: bytes) -> bytes:
            return payload.with_crc(data, payload.crc(data) ^ 0x5A)

        return self._changed(f"{message}: wrong CRC", payload, change, False, count, duration_ms)

    def wrong_counter(
        self,
        message: str,
        *,
        step: int = 4,
        value: int | None = None,
        count: int | None = None,
        duration_ms: float | None = None,
    ) -> Fault:
        """A counter that is off by `step` in each frame after the last, or stuck at `value` (15 is invalid), with a
        fitting CRC.
        """
        payload = Payload(self._message(message))
        payload.require_e2e()
        shift = 0

        def change(data: bytes) -> bytes:
            nonlocal shift
            if value is not None:
                return payload.with_counter(data, value)
            shift += step - 1  # the sender itself counts one on
            return payload.with_counter(data, (payload.counter(data) + shift) % COUNTERS)

        what = f"counter counts by {step}" if value is None else f"counter stuck at {value}"
        return self._changed(f"{message}: {what}", payload, change, True, count, duration_ms)

    # --- contents ---

    def freeze(
        self,
        message: str,
        signal: str | None = None,
        *,
        e2e: bool = True,
        count: int | None = None,
        duration_ms: float | None = None,
    ) -> Fault:
        """A signal, or all of them, stay as they are in the next frame.

        With `e2e` counter and CRC go on. Without it, a frozen message is the very same frame again and again, and a
        frozen signal comes with a CRC that does not fit.
        """
        payload = Payload(self._message(message))
        first: bytes | None = None
        if signal is None:

            def change(data: bytes) -> bytes:
                nonlocal first
                first = first or data
                return payload.contents_of(first, protection=data) if e2e else first

            return self._changed(f"{message} frozen", payload, change, e2e, count, duration_ms)
        chosen = payload.signal(signal)
        held: float | None = None

        def alter(value: float) -> float:
            nonlocal held
            held = value if held is None else held
            return held

        return self._altered(f"{message}.{signal} frozen", payload, chosen, alter, e2e, count, duration_ms)

    def offset(
        self,
        message: str,
        signal: str,
        by: float,
        *,
        e2e: bool = True,
        count: int | None = None,
        duration_ms: float | None = None,
    ) -> Fault:
        """A signal is off by a physical value."""
        payload = Payload(self._message(message))
        chosen = payload.signal(signal)
        text = f"{message}.{signal} off by {by:+g} {chosen.unit}".rstrip()
        return self._altered(text, payload, chosen, lambda value: value + by, e2e, count, duration_ms)

    def scale(
        self,
        message: str,
        signal: str,
        factor: float,
        *,
        e2e: bool = True,
        count: int | None = None,
        duration_ms: float | None = None,
    ) -> Fault:
        """A signal is multiplied; -1 turns its sign."""
        payload = Payload(self._message(message))
        chosen = payload.signal(signal)
        return self._altered(
            f"{message}.{signal} times {factor:g}",
            payload,
            chosen,
            lambda value: value * factor,
            e2e,
            count,
            duration_ms,
        )

    def stick(
        self,
        message: str,
        signal: str,
        value: float | str,
        *,
        e2e: bool = True,
        count: int | None = None,
        duration_ms: float | None = None,
    ) -> Fault:
        """A signal has one physical value, or a label of its value table, whatever the sender says."""
        payload = Payload(self._message(message))
        chosen = payload.signal(signal)
        if isinstance(value, str):
            by_label = {label: raw for raw, label in chosen.choices.items()}
            if value not in by_label:
                raise UserError(
                    f"{message}.{signal} has no value '{value}'; it has {', '.join(by_label) or 'no value table'}"
                )
            number = by_label[value] * chosen.factor + chosen.offset
        else:
            number = value
        return self._altered(
            f"{message}.{signal} stuck at {value}", payload, chosen, lambda _: number, e2e, count, duration_ms
        )

    # --- how it is done ---

    def _altered(
        self,
        text: str,
        payload: Payload,
        signal: Signal,
        alter: Callable[[float], float],
        e2e: bool,
        count: int | None,
        duration_ms: float | None,
    ) -> Fault:
        def change(data: bytes) -> bytes:
            return payload.write(data, signal, alter(payload.read(data, signal)))

        return self._changed(text, payload, change, e2e, count, duration_ms)

    def _changed(
        self, text: str, payload: Payload, change: Change, e2e: bool, count: int | None, duration_ms: float | None
    ) -> Fault:
        port = self._sender(payload.message.name)
        fault = self._begin(text, duration_ms)

        def hook(frame: Frame) -> Frame:
            data = change(frame.data)
            fault.hit(count)
            return frame._replace(data=payload.protected(data) if e2e else data)

        return self._hook(fault, port, payload.message.name, hook)

    def _sender(self, message: str) -> Port:
        return self._port(self._message(message).sender)

    def _hook(self, fault: Fault, port: Port, message: str, action: Callable[[Frame], Frame | None]) -> Fault:
        """Put `action` in the way of the message's frames; without effect on others."""
        can_id = self._message(message).frame_id

        def hook(frame: Frame) -> Frame | None:
            return action(frame) if frame.can_id == can_id and fault.active else frame

        port.hook(hook)
        fault.on_clear(lambda: port.unhook(hook))
        return fault


def _send(port: Port, frame: Frame) -> None:
    port.send_past_hooks(frame)

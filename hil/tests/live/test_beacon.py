"""The beacon: python-can finds a bench by what it sends."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
from can.interfaces.socketcand.socketcand import detect_beacon

from hil.live.beacon import BEACON_PORT, beacon_text
from hil.live.bench import LiveBench


def test_python_can_understands_the_beacon(monkeypatch: pytest.MonkeyPatch) -> None:
    class Socket:
        """Has received one datagram."""

        def __init__(self, *_: object) -> None: ...
        def __enter__(self) -> Socket:
            return self

        def __exit__(self, *_: object) -> None: ...
        def bind(self, address: tuple[str, int]) -> None:
            assert address[1] == BEACON_PORT

        def recv(self, _size: int) -> bytes:
            return beacon_text("twinaxle", 29536)

    monkeypatch.setattr("can.interfaces.socketcand.socketcand.socket.socket", Socket)
    monkeypatch.setattr("can.interfaces.socketcand.socketcand.select.select", lambda readers, *_: (readers, [], []))
    assert detect_beacon() == [{"interface": "socketcand", "host": "127.0.0.1", "port": 29536, "channel": "vcan0"}]


def test_names_are_quoted() -> None:
    assert ET.fromstring(beacon_text('a"<b>', 1)).attrib["name"] == 'a"<b>'


def test_a_bench_sends_it(live: Callable[..., LiveBench], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr("hil.live.beacon.Beacon.send", lambda self: sent.append((self._text,)))
    bench = live(nodes=("ESC",), speed=10.0)
    bench.run(4.5)
    assert bench.hub is not None
    assert sent == [(beacon_text("twinaxle", bench.hub.port),)] * 3

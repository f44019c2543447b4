"""The hub on a bare virtual bus: the handshake, who hears what, clients that misbehave."""

from __future__ import annotations

import socket
import struct
import time

import pytest

from hil.bus import Frame
from hil.live.hub import CLIENTS_MAX
from hil.tests.live.conftest import HubRig
from twinaxle.errors import UserError


def test_frames_are_held_back_after_the_handshake() -> None:
    rig = HubRig(hold_s=0.3)
    client = rig.raw()
    before_s = time.monotonic()
    client.join()  # asserts that hi and each ok come alone
    rig.node.send(Frame(0x123, b"\x00\x01\xff"))
    assert client.expect(b" >").startswith(b"< frame 123 ")
    assert time.monotonic() - before_s >= 0.3
    rig.close()


def test_both_directions(rig: HubRig) -> None:
    one, two = rig.joined(), rig.joined()
    rig.node.send(Frame(0x123, b"\x00\x01\xff"))
    rig.pump()
    at_ns = rig.kernel.now_ns
    one.send(b"< send 124 0 >")
    assert b"< frame 123 " in (text := two.expect(b"  >"))
    assert text.endswith(b"  >")
    assert one.expect(b"0001FF >").count(b"frame") == 1  # not what it sent itself
    assert [frame for frame, _ in rig.log] == [Frame(0x123, b"\x00\x01\xff"), Frame(0x124, b"")]
    assert float(text.rsplit(b" ", 3)[1]) == pytest.approx(at_ns * 1e-9, abs=0.5)


def test_extended_ids_and_echo(rig: HubRig) -> None:
    one, two = rig.joined(), rig.joined()
    one.send(b"< send 00000123 1 ffffff80 >< echo >")
    assert two.expect(b"80 >").startswith(b"< frame 00000123 ")
    assert one.expect(b">") == b"< echo >"
    rig.node.send(Frame(0x18FF1234, b"", is_extended=True))
    assert one.expect(b"  >").startswith(b"< frame 18FF1234 ")


@pytest.mark.parametrize(
    "nonsense",
    [b"< send 123 c 0 1 2 3 4 5 6 7 8 9 a b >", b"< send 123 2 >", b"< send 40000123 0 >", b"< fly >", b"<>"],
)
def test_what_cannot_be_carried_is_refused(rig: HubRig, nonsense: bytes) -> None:
    client = rig.joined()
    client.send(nonsense)
    assert client.expect(b" >").startswith(b"< error 004 ")
    client.send(b"< send 123 1 7 >")
    rig.until(lambda: rig.log)
    assert [frame for frame, _ in rig.log] == [Frame(0x123, b"\x07")]


def test_the_bus_must_be_opened_first(rig: HubRig) -> None:
    client = rig.raw()
    assert client.expect(b">") == b"< hi >"
    for request in (b"< send 123 1 1 >", b"< rawmode >"):
        client.send(request)
        assert client.expect(b">").startswith(b"< error 004 ")
    assert rig.log == []


def test_remote_frames_of_the_bus_are_left_out(rig: HubRig) -> None:
    client = rig.joined()
    rig.node.send(Frame(0x123, b"\0\0", is_remote=True))
    rig.node.send(Frame(0x124, b""))
    assert client.expect(b"  >").startswith(b"< frame 124")
    assert rig.hub.not_carried == 1


def test_error_frames_are_told(rig: HubRig) -> None:
    client = rig.joined()
    rig.bus.corrupt(lambda frame: frame.can_id == 0x123)
    rig.node.send(Frame(0x123, b"\x01"))
    text = client.expect(b"01 >")
    assert text.startswith(b"< error 008 ")
    assert b"bit error >< frame 123 " in text


# --- clients that misbehave ---


def fill(rig: HubRig, frames: int) -> None:
    for number in range(frames):
        rig.node.send(Frame(number & 0x3FF, number.to_bytes(8, "little")))
        if number % 8 == 7:
            rig.pump(2)
    rig.pump(5)


def test_who_never_reads_loses_its_own_frames_only() -> None:
    rig = HubRig(queue_frames=100)
    deaf, good = rig.joined(receive_buffer=4096), rig.joined()
    before_ns = rig.bus.busy_ns
    total = 20_000
    text = b""
    for _ in range(total // 1000):
        fill(rig, 1000)
        text += good.read()
    rig.until(lambda: good.read() == b"" and good.text.count(b">") == total)
    text = good.text
    numbers = [int.from_bytes(bytes.fromhex(part.split()[3].decode()), "little") for part in text.split(b"<")[1:]]
    assert numbers == [number for _ in range(total // 1000) for number in range(1000)]
    first, second = rig.hub.clients
    assert second.dropped == 0
    assert 0 < first.dropped == rig.hub.dropped
    assert len(rig.log) == total
    assert rig.bus.busy_ns > before_ns
    # What it gets when it reads at last: whole frames, and the newest.
    rig.until(lambda: deaf.read() == b"" and deaf.text.count(b">") == total - first.dropped)
    parts = deaf.text.split(b"<")[1:]
    assert all(part.endswith(b" >") for part in parts)
    assert int.from_bytes(bytes.fromhex(parts[-1].split()[3].decode()), "little") == 999
    assert len(parts) + first.dropped == total
    deaf.close()
    rig.until(lambda: len(rig.hub.clients) == 1)
    assert rig.hub.dropped == first.dropped  # counted for good
    assert any(f"{first.dropped} dropped" in line for line in rig.said)
    rig.close()


def test_who_sends_more_than_the_bus_carries_is_held_back(rig: HubRig) -> None:
    client = rig.joined()
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 14)
    sent = 0
    for _ in range(2000):
        try:
            client.send(b"".join(b"< send %03x 8 1 2 3 4 5 6 7 8 >" % (number & 0x7FF) for number in range(100)))
            sent += 100
        except BlockingIOError:
            break  # part of the last hundred is on its way; that it ends in the middle is one more trial
        rig.pump(0.5)
        assert rig.bus.ports["client-1"].pending < 300  # what lies in one read beyond the limit
    else:
        pytest.fail("nothing held it back")
    rig.until(lambda: len(rig.log) >= sent)
    assert rig.hub.clients[0].lost == 0


def test_garbage_and_halves(rig: HubRig) -> None:
    client = rig.joined()
    for text in (b"\x00\xff" * 5000, b"GET / HTTP/1.1\r\n\r\n", b"< send 1", b"23 1 ", b"5 ", b">", b"< se"):
        client.send(text)
        rig.pump()
    rig.until(lambda: rig.log)
    assert [frame for frame, _ in rig.log] == [Frame(0x123, b"\x05")]
    client.close()
    rig.until(lambda: not rig.hub.clients)


def test_half_open_and_broken_connections(rig: HubRig) -> None:
    silent, gone, good = rig.raw(), rig.joined(), rig.joined()
    # A reset instead of an end, as by a crash.
    gone.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    gone.close()
    fill(rig, 100)
    rig.until(lambda: len(rig.hub.clients) == 2)
    good.send(b"< echo >")
    assert good.expect(b"< echo >").count(b"frame") == 100
    assert silent.expect(b">") == b"< hi >"


def test_what_a_client_sent_before_it_left_still_goes_out(rig: HubRig) -> None:
    client = rig.joined()
    client.send(b"".join(b"< send %03x 1 1 >" % number for number in range(20)))
    client.close()
    rig.until(lambda: not rig.hub.clients and "client-1" not in rig.bus.ports)
    assert [frame.can_id for frame, _ in rig.log] == list(range(20))
    assert rig.node.rec == 0  # it didn't vanish amid a frame


def test_many_clients(rig: HubRig) -> None:
    clients = [rig.joined() for _ in range(8)]
    fill(rig, 100)
    for client in clients:
        client.send(b"< echo >")
    for number, client in enumerate(clients):
        text = client.expect(b"< echo >")
        assert text.count(b"frame") == 100, number
    for _ in range(CLIENTS_MAX - 8):
        rig.raw().expect(b"< hi >")
    with pytest.raises(ConnectionResetError):
        rig.raw().expect(b"< hi >")
    assert len(rig.hub.clients) == CLIENTS_MAX


def test_two_senders_of_one_id_collide_and_the_hub_recovers(rig: HubRig) -> None:
    client = rig.joined()
    for number in range(40):  # at the same moment with different content, again and again
        rig.node.send(Frame(0x200, bytes([number, 0])))
        client.send(b"< send 200 2 ff ff >")
        rig.pump(3)
    rig.pump(500)
    client.send(b"< send 201 1 1 >")
    rig.until(lambda: any(frame.can_id == 0x201 for frame, _ in rig.log))


def test_a_taken_port_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} of 127.0.0.1 is taken.*--port"):
            HubRig(port=port)
    with pytest.raises(UserError, match="70000"):
        HubRig(port=70000)


def test_what_nobody_fetched_by_the_end_is_counted() -> None:
    rig = HubRig()
    deaf = rig.joined(receive_buffer=4096)
    total = 20_000
    for _ in range(total // 1000):
        fill(rig, 1000)
    (client,) = rig.hub.clients
    assert client.waits
    rig.hub.close()
    with pytest.raises(ConnectionResetError):
        rig.until(lambda: deaf.read() == b"never")
    assert deaf.text.count(b">") < total
    assert rig.hub.dropped >= total - client.delivered > 0
    assert any(f"{rig.hub.dropped} dropped" in line for line in rig.said)
    rig.close()


def test_the_end_delivers_what_was_queued(rig: HubRig) -> None:
    client = rig.joined()
    rig.node.send(Frame(0x123, b"\x01"))
    rig.kernel.run_until(rig.kernel.now_ns + 1_000_000)
    rig.hub.flush()
    rig.hub.close()
    text = b""
    with pytest.raises(ConnectionResetError):
        while True:
            text += client.read()
    assert text.endswith(b" 01 >")

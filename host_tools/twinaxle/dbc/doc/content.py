"""What the page on a protocol says."""

from twinaxle.dbc import conventions
from twinaxle.dbc.conventions import DATA_ID, MAX_DELTA, SEND_TYPE, TIMEOUT, cycle_ms, is_protected
from twinaxle.dbc.doc.bits import layouts
from twinaxle.dbc.doc.load import loads
from twinaxle.dbc.doc.page import Block, Cell, Heading, Link, Page, Paragraph, Table
from twinaxle.dbc.doc.signals import has_values, signal_table, value_table
from twinaxle.dbc.syntax import Document, Message
from twinaxle.dbc.syntax.tree import plain


def page(document: Document, source: str, protocol_hash: int | None = None, bit_rate: int | None = None) -> Page:
    """The page on a document. `bit_rate` in bit/s; without it, that of the file's attribute Baudrate."""
    bit_rate = bit_rate or conventions.bit_rate(document)
    messages = sorted(
        (message for message in document.messages if not message.is_independent),
        key=lambda message: (message.is_extended, message.frame_id),
    )
    name = source.replace("\\", "/").rpartition("/")[2].removesuffix(".dbc")
    result = Page(f"CAN protocol {name}", source)
    add = result.blocks.extend
    add([Heading(1, result.title)])
    if document.comment:
        add([Paragraph(document.comment)])
    add([Paragraph(_facts(document, messages, protocol_hash, bit_rate))])
    add([Heading(2, "Messages", "page-messages"), _index(document, messages)])
    add([Heading(2, "Nodes", "page-nodes"), _nodes(document, messages)])
    add([Heading(2, "Who sends and receives", "page-matrix"), *_matrix(document, messages)])
    add([Heading(2, "Bus load", "page-load"), *_load(document, bit_rate)])
    for message in messages:
        add(_message(document, message))
    return result


def link(message: Message) -> Link:
    """The link to a message's heading."""
    return Link(message.name, message.name.lower())


def _facts(document: Document, messages: list[Message], protocol_hash: int | None, bit_rate: int | None) -> str:
    count = sum(len(message.signals) for message in messages)
    parts = [f"{len(document.nodes)} nodes, {len(messages)} messages, {count} signals"]
    if bit_rate:
        parts.append(f"{bit_rate // 1000} kbit/s" if bit_rate % 1000 == 0 else f"{bit_rate} bit/s")
    if document.tree.version:
        parts.append(f"version {document.tree.version}")
    if protocol_hash is not None:
        parts.append(f"ProtocolHash {protocol_hash:08X}")
    return ", ".join(parts) + "."


def identifier(message: Message) -> str:
    """The identifier in hexadecimal: three digits for a standard one, eight for an extended one."""
    return f"0x{message.frame_id:08X}" if message.is_extended else f"0x{message.frame_id:03X}"


def _cycle(document: Document, message: Message) -> str:
    cycle = cycle_ms(document, message)
    if cycle > 0:
        return f"{plain(cycle)} ms"
    sent = document.attribute(message, SEND_TYPE)
    return sent.lower() if isinstance(sent, str) else "-"


def _index(document: Document, messages: list[Message]) -> Table:
    rows: list[list[Cell]] = [
        [
            identifier(message),
            link(message),
            ", ".join(message.senders) or "-",
            _cycle(document, message),
            str(message.line.length),
            "yes" if is_protected(document, message) else "-",
            message.comment or "-",
        ]
        for message in messages
    ]
    return Table(("Identifier", "Message", "Sender", "Cycle", "Bytes", "E2E", "What"), rows, frozenset({3, 4}))


def _nodes(document: Document, messages: list[Message]) -> Table:
    rows: list[list[Cell]] = []
    for node in document.nodes:
        sent: Cell = [link(message) for message in messages if node in message.senders]
        received = sum(node in message.receivers for message in messages)
        rows.append([node, document.node_comments.get(node, "-"), sent or "-", str(received)])
    return Table(("Node", "What", "Sends", "Receives"), rows, frozenset({3}))


def _matrix(document: Document, messages: list[Message]) -> list[Block]:
    header = ("Identifier", "Message", *document.nodes)
    rows: list[list[Cell]] = []
    for message in messages:
        marks: list[Cell] = [
            "S" if node in message.senders else "r" if node in message.receivers else "" for node in document.nodes
        ]
        rows.append([identifier(message), link(message), *marks])
    return [Paragraph("S: sends it. r: receives at least one of its signals."), Table(header, rows)]


def _load(document: Document, bit_rate: int | None) -> list[Block]:
    found = loads(document)
    if not bit_rate:
        return [Paragraph(f"The file does not tell the bit rate (attribute {conventions.BIT_RATE}).")]
    rows: list[list[Cell]] = [
        [
            link(load.message),
            f"{plain(load.cycle_ms)} ms",
            f"{load.least_bits} to {load.most_bits}",
            f"{100 * load.share(load.least_bits, bit_rate):.2f} %",
            f"{100 * load.share(load.most_bits, bit_rate):.2f} %",
        ]
        for load in sorted(found, key=lambda load: -load.share(load.most_bits, bit_rate))
    ]
    least = sum(load.share(load.least_bits, bit_rate) for load in found)
    most = sum(load.share(load.most_bits, bit_rate) for load in found)
    rows.append([f"all {len(found)} cyclic messages", "", "", f"{100 * least:.2f} %", f"{100 * most:.2f} %"])
    text = (
        f"Cyclic messages at {bit_rate // 1000} kbit/s, a frame with its intermission: without a stuff bit, and with "
        "as many as can be. Real frames lie between. Messages sent on events, CAN FD frames and errors come on top."
    )
    header = ("Message", "Cycle", "Bits a frame", "Least", "Most")
    return [Paragraph(text), Table(header, rows, frozenset({1, 2, 3, 4}))]


def _message(document: Document, message: Message) -> list[Block]:
    blocks: list[Block] = [Heading(2, message.name, message.name.lower())]
    if message.comment:
        blocks.append(Paragraph(message.comment))
    decimal = f" ({message.frame_id}, {'extended' if message.is_extended else 'standard'})"
    facts = [f"Identifier {identifier(message)}{decimal}", f"{message.line.length} bytes"]
    sent = _cycle(document, message)
    if sent != "-":
        facts.append(f"every {sent}" if cycle_ms(document, message) > 0 else f"sent: {sent}")
    facts.append(f"from {', '.join(message.senders) or 'nobody'}")
    facts.append(f"to {', '.join(message.receivers) or 'nobody'}")
    timeout = document.number(message, TIMEOUT)
    if timeout:
        facts.append(f"missing after {plain(timeout)} ms")
    blocks.append(Paragraph(", ".join(facts) + "."))
    if is_protected(document, message):
        data_id, delta = document.number(message, DATA_ID) or 0, document.number(message, MAX_DELTA) or 0
        text = f"E2E profile 1, DataID {plain(data_id)}: Crc and Counter protect it; the counter may step by up to "
        blocks.append(Paragraph(f"{text}{plain(delta)}."))
    if not message.signals:
        return [*blocks, Paragraph("It has no signals.")]
    blocks += layouts(message)
    blocks.append(signal_table(document, message))
    if any(has_values(signal) for signal in message.signals):
        blocks.append(value_table(message))
    return blocks

"""The DBC language: a tolerant parser that keeps places, and what the file says put together."""

from twinaxle.dbc.syntax.document import Attribute, Document, Message, Signal, read_document, read_text

__all__ = ["Attribute", "Document", "Message", "Signal", "read_document", "read_text"]

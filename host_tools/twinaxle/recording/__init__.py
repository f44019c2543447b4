"""Writing bus logs: formats, recording from a live bus, triggers, conversion between formats."""

"""Frames onto a bus at their times: logs played again, rewritten by the DBC, and messages by name."""

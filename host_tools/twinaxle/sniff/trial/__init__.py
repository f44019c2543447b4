"""Trying viewers as a user would: real processes in a pseudo-terminal, fed by a source that counts what it sends.

For tests and `make bench-tools`; needs the test dependencies, and a system with pseudo-terminals.
"""

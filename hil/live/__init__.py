"""The live bench: the virtual car tied to the wall clock, its bus open to other programs and to a real bus.

loop (pacer, selector) - hub (socketcand server) - clients
                      \\- adapter (a python-can bus with real units on it)
"""

"""`twinaxle sniff`: what is on a CAN bus, decoded, counted and judged, in a terminal.

Frames go one way: `source` reads them (a bus in a thread of its own, or a log), `store` counts and judges them by
identifier, `strip`, `table` (with `columns`, `content`, `details`) and `view` lay out what is to be seen as plain
lines, and `screen` puts these on a terminal. `viewer` holds what the user has chosen, `controls` changes it as `keys`
says.
Decoding is done when a line is drawn, and only for lines that are seen.
"""

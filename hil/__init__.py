"""Hardware-in-the-loop bench."""

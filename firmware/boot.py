"""Runs first after every reset: arms the watchdog before anything can hang."""

import vcu.watchdog  # noqa: F401

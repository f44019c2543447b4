"""Pyboard v1.1: which pins and peripherals the vehicle control unit uses."""

from micropython import const

CAN_ID = const(1)  # transceiver on Y3 (RX) and Y4 (TX)
BITRATE = const(500_000)
ENABLE_FRONT = "X1"  # enable lines of the two inverters; each has a pull-down (SF-12)
ENABLE_REAR = "X2"
LED_RUN = "LED_GREEN"  # high voltage may be on
LED_FAULT = "LED_RED"
WATCHDOG_MS = const(200)  # SF-08

"""Starts the vehicle control unit. Whatever goes wrong ends in `safe_stop`: no torque, trace stored, reset (SF-09)."""

from vcu import app

try:
    app.run()
except KeyboardInterrupt:  # only possible in Standby: the workshop wants the REPL
    app.leave()
except BaseException as error:
    app.safe_stop(error)

"""Errors that speak to the user: the command line prints them without a trace-back and exits with 2."""


class UserError(Exception):
    """Something the user can mend. The message says what is wrong, where, and what to do."""

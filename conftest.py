"""Settings of all tests."""

import signal
import threading

from hypothesis import settings

# The same examples in every run, and none fails for the machine's speed.
settings.register_profile("twinaxle", deadline=None, derandomize=True)
settings.load_profile("twinaxle")


def _let_children_hear(name: str) -> None:
    """A signal that is ignored here (`nohup make test`) is ignored in all children, one that is handled is not; the
    programs under test must hear what the tests send them.
    """
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)


if threading.current_thread() is threading.main_thread():
    _let_children_hear("SIGINT")
    _let_children_hear("SIGHUP")

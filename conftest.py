"""Settings of all tests."""

from hypothesis import settings

# The same examples in every run, and none fails for the machine's speed.
settings.register_profile("twinaxle", deadline=None, derandomize=True)
settings.load_profile("twinaxle")

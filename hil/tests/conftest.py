"""For all bench tests."""

from hypothesis import settings

# Compiled code is compiled when it is first called, which would count as the time of that example.
settings.register_profile("bench", deadline=None)
settings.load_profile("bench")

"""What holds of all unit tests."""

from hypothesis import settings

# Speed is measured in benchmarks: no test may fail because the machine is busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

"""Measures what the testbed costs beside its rivals: ``make bench``, or ``python -m benchmarks``."""

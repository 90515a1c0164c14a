"""Faults: each makes one cause on a real lab, says what is then tried, and how it is cured."""

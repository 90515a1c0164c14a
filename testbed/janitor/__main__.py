"""``python -m testbed.janitor OWNER``: OWNER is a process id, for others to see."""

from testbed.janitor.serve import main

main()

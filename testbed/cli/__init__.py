"""The ``testbed`` command. Thin: each command turns words into calls and values into text."""

from testbed.cli.signals import end_at_once, heard_by


def main() -> None:
    """Run the command line and end the process."""
    with heard_by(end_at_once):
        # Here, where a signal is heard: what it imports takes a tenth of a second.
        from testbed.cli.ending import run  # noqa: PLC0415
        from testbed.cli.group import group  # noqa: PLC0415

        run(group, "testbed")

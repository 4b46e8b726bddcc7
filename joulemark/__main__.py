"""Run the command `joulemark`, also as `python -m joulemark`."""

from __future__ import annotations

from joulemark.suite.cli import stop_signals


def main() -> None:
    """Run the command and exit with its code."""
    stop_signals.exit_silently()  # until it is imported, which takes a tenth of a second
    from joulemark.suite.cli.app import main as run_command

    run_command()


if __name__ == "__main__":
    main()

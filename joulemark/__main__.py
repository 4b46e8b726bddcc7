"""Run the command `joulemark` as `python -m joulemark`."""

from joulemark.suite.cli.app import main

main()

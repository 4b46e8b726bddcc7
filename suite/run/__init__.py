"""From a plan to a run file: everything that measures a plan goes through `runner.measure`."""

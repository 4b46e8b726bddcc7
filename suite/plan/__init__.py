"""From a selection to the cases of a run, and the order they are measured in."""

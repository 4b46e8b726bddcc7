"""Charts of several runs: machines in order, references beside them, comparison, history."""

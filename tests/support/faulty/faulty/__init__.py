"""A workload of another package, which misbehaves in every way that a trial must survive."""

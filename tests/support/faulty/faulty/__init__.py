"""Somebody else's workload, which misbehaves in every way that a trial must survive."""

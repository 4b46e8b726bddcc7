"""Counts of what one step does, compared without intervals: they have no noise. Pure."""

"""What came out of a run, and what can be said of it."""

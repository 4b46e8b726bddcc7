"""Find what cannot be true in a run file, by itself."""

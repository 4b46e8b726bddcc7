"""Character-level recurrent network."""

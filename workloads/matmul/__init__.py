"""Square matrix product."""

"""The machine's memory bandwidth as a framework reaches it."""

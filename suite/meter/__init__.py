"""Meters for code that is not ours: windows that somebody else marks, on the same sensors, readings and run files."""

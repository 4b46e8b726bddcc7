"""Measure a user's own code, commands and windows of a program, with the sensors and run files that cases have."""

"""Somebody else's workload, which is as fast as a library that each environment has in a version of its own."""

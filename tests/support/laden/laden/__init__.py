"""Somebody else's workload, which does as much work as the environment says: for gates that must fire."""

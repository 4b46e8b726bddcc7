"""Somebody else's workload, which does as many times its work as the environment says: for gates that must fire."""

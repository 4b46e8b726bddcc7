"""Initialisation of a network's parameters."""

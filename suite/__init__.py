"""The harness: plans cases, measures them in fresh processes, and turns what it saw into records."""

__version__ = "0.1.0"

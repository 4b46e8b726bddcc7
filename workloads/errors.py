"""Errors of workloads that other packages provide."""

from __future__ import annotations


class BrokenPackageError(Exception):
    """A workload of another package cannot be used; the message names what provides it."""

"""Errors of workloads that other packages provide."""

from __future__ import annotations


class BrokenPackageError(Exception):
    """An entry point of the group `joulemark.workloads` cannot be used; the message names the package."""

"""What can be wrong with workloads of other people's packages."""

from __future__ import annotations


class BrokenPackageError(Exception):
    """An entry point of `joulemark.workloads` cannot be used; the message names the package."""

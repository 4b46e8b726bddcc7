"""Scaling of a large array in JAX."""

from __future__ import annotations

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


def build(_size: Size, _phase: Phase, kit: Kit) -> Program:
    """x (n) -> scaled (n)."""
    return kit.kernel(lambda x: {"scaled": 3.0 * x})

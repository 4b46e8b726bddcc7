"""Scaling of a large array in PyTorch."""

from __future__ import annotations

from typing import Any

from joulemark.workloads.spec import Phase, Program, Size


def build(_size: Size, _phase: Phase, kit: Any) -> Program:
    """x (n) -> scaled (n)."""
    return kit.kernel(lambda x: {"scaled": 3.0 * x})

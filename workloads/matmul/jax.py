"""Square matrix product in JAX."""

from __future__ import annotations

import jax.numpy as jnp

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


def build(_size: Size, _phase: Phase, kit: Kit) -> Program:
    """a (n, n), b (n, n) -> product (n, n)."""
    return kit.kernel(lambda a, b: {"product": jnp.matmul(a, b)})

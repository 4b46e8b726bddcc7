"""Square matrix product in TensorFlow."""

from __future__ import annotations

import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


def build(_size: Size, _phase: Phase, kit: Kit) -> Program:
    """a (n, n), b (n, n) -> product (n, n)."""
    return kit.kernel(lambda a, b: {"product": tf.matmul(a, b)})

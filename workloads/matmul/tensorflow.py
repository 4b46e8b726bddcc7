"""Square matrix product in TensorFlow."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from joulemark.workloads.spec import Phase, Program, Size


def build(_size: Size, _phase: Phase, kit: Any) -> Program:
    """a (n, n), b (n, n) -> product (n, n)."""
    return kit.kernel(lambda a, b: {"product": tf.matmul(a, b)})

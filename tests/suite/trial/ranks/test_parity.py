"""N ranks with a share of a batch each make the update that one makes of all, in every framework."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from command import inherited
from environments import require
from places import SUPPORT

pytestmark = pytest.mark.slow

TOLERANCE = 1e-9
"""Sums of float64 in another order, over two steps: some 1e-12; a rank that is left out changes updates by tenths."""
CANNOT = 1e-3
"""An update over which there is no equality differs by more."""


def distances(framework: str, strategy: str, *workloads: str) -> dict[str, float | str]:
    """Return how far the updates of two ranks are from those of one."""
    done = subprocess.run(
        [sys.executable, "-m", "rank_parity", framework, strategy, "2", *workloads],
        env={**inherited(), "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        cwd=SUPPORT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_in_pytorch_and_not_where_the_batch_is_normalised():
    require("torch")
    found = distances("pytorch", "ddp", "gpt2", "autoencoder", "word2vec", "resnet50")
    assert {name: value for name, value in found.items() if value > TOLERANCE} == {"resnet50": found["resnet50"]}
    assert found["resnet50"] > CANNOT


def test_in_jax_whose_ranks_compute_what_one_does():
    require("jax")
    found = distances("jax", "sharded", "mlp", "autoencoder")
    assert max(found.values()) < TOLERANCE

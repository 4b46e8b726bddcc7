"""N ranks with a share of a batch each make the update that one makes of all, with every strategy; and what cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache

import pytest
from command import inherited
from environments import require
from places import SUPPORT

from joulemark.suite.trial.frameworks import FRAMEWORKS

pytestmark = pytest.mark.slow

TOLERANCE = 1e-9
"""Sums of float64 in another order, over two steps: 1e-16 to 1e-10, where Adam divides by a gradient near 0. A rank
that is left out changes updates by tenths."""
CANNOT = 1e-3
"""An update over which there is no equality differs by more."""
DEPENDENT = {
    "cnn": "batch normalisation",
    "contrast": "SimCLR's loss, without batch normalisation",
    "dropout": "noise drawn in the step",
    "tight_moe": "experts with room for half of the rows",
}
"""Programs whose outputs depend on the other samples of the batch or on where they are computed."""
EQUAL = {
    "pytorch": ("transfer.features", "gpt2", "word2vec"),
    "tensorflow": ("transfer.features", "gpt2", "word2vec"),
    "jax": ("transfer.features",),
}
"""By framework: SGD with momentum, by which an update is as large as its gradient; Adam with decay, and a limit of the
gradients' norm; sparse gradients. JAX compiles one program, whatever the workload: what is below tests it too."""
REFUSED = {("fsdp", "word2vec"): "sparse gradients"}
STRATEGIES = [
    pytest.param(framework, strategy, id=strategy.name)
    for framework in FRAMEWORKS.values()
    for strategy in framework.strategies.values()
]


@cache
def distances(framework: str) -> dict[str, dict[str, float | str]]:
    """Return how far the updates of two ranks are from those of one, with each strategy of a framework."""
    strategies = ",".join(FRAMEWORKS[framework].strategies)
    names = (*EQUAL[framework], *DEPENDENT, *(() if framework == "jax" else ("apart",)))
    done = subprocess.run(
        [sys.executable, "-m", "rank_parity", framework, strategies, "2", *names],
        env={**inherited(), "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        cwd=SUPPORT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("framework", "strategy"), STRATEGIES)
def test_ranks_make_the_update_of_one(framework, strategy):
    require(framework.module)
    found = distances(framework.name)[strategy.name]
    refused = {name: reason for (refusing, name), reason in REFUSED.items() if refusing == strategy.name}
    for name in EQUAL[framework.name]:
        if name in refused:
            assert refused[name] in str(found[name])
        else:
            assert found[name] < TOLERANCE, name


@pytest.mark.parametrize(("framework", "strategy"), STRATEGIES)
def test_what_cannot_be_equal_is_not_and_one_program_over_the_whole_batch_is(framework, strategy):
    require(framework.module)
    found = distances(framework.name)[strategy.name]
    for name, reason in DEPENDENT.items():
        if strategy.ranks == "shards":
            assert found[name] < TOLERANCE, reason
        else:
            assert found[name] > CANNOT, reason


@pytest.mark.parametrize(("framework", "strategy"), STRATEGIES)
def test_the_proof_sees_ranks_that_keep_their_gradients(framework, strategy):
    require(framework.module)
    if strategy.ranks == "shards":
        pytest.skip("one program has one gradient")
    assert distances(framework.name)[strategy.name]["apart"] > CANNOT

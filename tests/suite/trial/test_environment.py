"""The environment of a trial is built, not inherited."""

from __future__ import annotations

from pathlib import Path

from joulemark.suite.trial import environment


def test_variables_that_an_option_replaces_are_set_or_dropped():
    user = {"OMP_NUM_THREADS": "1", "KERAS_BACKEND": "torch", "MKL_DYNAMIC": "TRUE", "HOME": "/home/user"}
    built = environment.build(user, 4, Path("/scratch"))
    assert built.variables["OMP_NUM_THREADS"] == "4"
    assert built.variables["KERAS_BACKEND"] == "tensorflow"
    assert built.variables["KERAS_HOME"].startswith("/scratch")
    assert "MKL_DYNAMIC" not in built.variables
    assert built.variables["HOME"] == "/home/user"
    assert set(built.dropped) == {"OMP_NUM_THREADS", "KERAS_BACKEND", "MKL_DYNAMIC"}
    assert built.kept == {}


def test_other_variables_that_affect_performance_are_kept_and_recorded():
    user = {"LD_PRELOAD": "libjemalloc.so", "XLA_FLAGS": "--x", "CUDA_VISIBLE_DEVICES": "1", "PATH": "/bin"}
    built = environment.build(user, 2, Path("/scratch"))
    assert built.kept == {"LD_PRELOAD": "libjemalloc.so", "XLA_FLAGS": "--x"}
    assert built.variables["CUDA_VISIBLE_DEVICES"] == "1"


def test_compile_caches_are_private_to_the_run():
    built = environment.build({"TORCHINDUCTOR_CACHE_DIR": "/shared"}, 2, Path("/scratch"))
    assert built.variables["TORCHINDUCTOR_CACHE_DIR"].startswith("/scratch")
    assert built.kept == {}

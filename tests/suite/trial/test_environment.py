"""The environment of a trial is built, not inherited."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from environments import require

from joulemark.suite.trial import environment

SCRATCH = Path("/scratch")


def test_variables_that_an_option_replaces_are_set_or_dropped():
    user = {"OMP_NUM_THREADS": "1", "KERAS_BACKEND": "torch", "MKL_DYNAMIC": "TRUE", "HOME": "/home/user"}
    built = environment.build(user, 4, SCRATCH)
    assert built.variables["OMP_NUM_THREADS"] == "4"
    assert built.variables["KERAS_BACKEND"] == "tensorflow"
    assert built.variables["KERAS_HOME"].startswith("/scratch")
    assert "MKL_DYNAMIC" not in built.variables
    assert built.variables["HOME"] == "/home/user"
    assert set(built.dropped) == {"OMP_NUM_THREADS", "KERAS_BACKEND", "MKL_DYNAMIC"}
    assert built.kept == {}


@pytest.mark.parametrize(
    "name",
    [
        # GNU's and Intel's OpenMP bind threads to cores, and say how long they spin, each under its own names.
        *("GOMP_CPU_AFFINITY", "GOMP_SPINCOUNT", "OMP_PROC_BIND", "OMP_PLACES", "OMP_WAIT_POLICY"),
        *("KMP_AFFINITY", "KMP_BLOCKTIME", "KMP_HW_SUBSET", "LIBOMP_NUM_HIDDEN_HELPER_THREADS"),
        *("MKL_NUM_THREADS", "BLIS_NUM_THREADS", "AOCL_ROOT", "ARMPL_NUM_THREADS", "NVPL_NUM_THREADS"),
        *("TF_NUM_INTRAOP_THREADS", "NVIDIA_TF32_OVERRIDE"),
    ],
)
def test_what_places_and_counts_threads_does_not_reach_a_trial(name):
    built = environment.build({name: "0"}, 2, SCRATCH)
    assert built.variables.get(name) in (None, "2")
    assert (built.dropped, built.kept) == ((name,), {})


@pytest.mark.parametrize(
    "name",
    [
        *("LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX", "TCMALLOC_RELEASE_RATE", "GLIBC_TUNABLES"),
        *("XLA_FLAGS", "TF_XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS", "TF_ONEDNN_USE_SYSTEM_ALLOCATOR"),
        *("TF_AUTO_MIXED_PRECISION_GRAPH_REWRITE_LEVEL", "TF_OVERRIDE_GLOBAL_THREADPOOL", "TF_FORCE_GPU_ALLOW_GROWTH"),
        *("TORCHINDUCTOR_MAX_AUTOTUNE", "PYTORCH_CUDA_ALLOC_CONF", "ATEN_CPU_CAPABILITY", "FBGEMM_ENABLE_AVX512_256"),
        *("ONEDNN_MAX_CPU_ISA", "CUDA_LAUNCH_BLOCKING", "CUBLASLT_WORKSPACE_SIZE", "HSA_XNACK", "MIOPEN_FIND_MODE"),
        *("CXX", "PYTHONMALLOC", "PYTHONTRACEMALLOC", "PYTHON_GIL"),
        # Without these, a program with two OpenMP runtimes ends at once, and a library may take kernels that a virtual
        # machine cannot run.
        *("KMP_DUPLICATE_LIB_OK", "OPENBLAS_CORETYPE", "MKL_ENABLE_INSTRUCTIONS"),
    ],
)
def test_other_variables_that_affect_performance_are_kept_and_recorded(name):
    built = environment.build({name: "1", "PATH": "/bin"}, 2, SCRATCH)
    assert (built.kept, built.dropped) == ({name: "1"}, ())
    assert built.variables[name] == "1"


@pytest.mark.parametrize(
    "name",
    [
        *("CUDA_VISIBLE_DEVICES", "CUDA_HOME", "CUDA_VERSION", "CUDNN_VERSION", "PYTORCH_VERSION", "PYTHON_VERSION"),
        *("HOME", "PATH", "PYTHONPATH", "TF_CLI_ARGS"),
    ],
)
def test_variables_without_effect_on_performance_are_passed_on_unrecorded(name):
    built = environment.build({name: "1"}, 2, SCRATCH)
    assert (built.kept, built.dropped) == ({}, ())
    assert built.variables[name] == "1"


def test_a_variable_that_has_our_value_already_is_not_dropped():
    assert environment.build({"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "1"}, 2, SCRATCH).dropped == (
        "MKL_NUM_THREADS",
    )


def test_whatever_a_framework_writes_is_private_to_the_run():
    user = dict.fromkeys(environment.SCRATCH_VARIABLES, "/shared")
    built = environment.build(user, 2, SCRATCH)
    assert {"TMPDIR", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "KERAS_HOME"} <= environment.SCRATCH_VARIABLES
    for name in environment.SCRATCH_VARIABLES:
        assert built.variables[name].startswith("/scratch")
    assert built.kept == {}


INDUCTOR_FOLDERS = """
from torch._inductor import codecache
from torch._inductor.runtime.cache_dir_utils import cache_dir, default_cache_dir, triton_cache_dir
print(codecache._HEADER_DIR, cache_dir(), default_cache_dir(), triton_cache_dir(0), sep="\\n")
"""


@pytest.mark.slow
def test_every_folder_that_inductor_writes_to_is_in_the_scratch_directory(tmp_path):
    require("torch")
    built = environment.build(os.environ, 2, tmp_path)
    command = [sys.executable, "-P", "-c", INDUCTOR_FOLDERS]
    done = subprocess.run(command, env=built.variables, stdout=subprocess.PIPE, text=True, check=True)
    folders = done.stdout.split()
    assert len(folders) == 4
    assert all(Path(folder).is_relative_to(tmp_path) for folder in folders), folders


def test_no_variable_is_both_dropped_and_kept():
    prefixes = environment.KEPT
    assert {prefix for prefix in prefixes if prefix.startswith(environment.MANAGED)} == set(environment.NEEDED)

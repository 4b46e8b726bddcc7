"""The environment of a trial: built by us, not inherited.

Every variable that moves performance is set by us, or kept with a notice. TensorFlow's Keras can be turned into
PyTorch by a user's keras.json, and one OMP_NUM_THREADS in a shell profile makes one framework slower and not the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OURS = (
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "GOTO_",
    "KMP_",
    "NUMEXPR_",
    "VECLIB_",
    "BLIS_",
    "TF_NUM_",
    "KERAS_",
    "NVIDIA_TF32_",
)
"""Prefixes of variables that our own options stand for: the user's are dropped."""

KEPT = (
    # Not all of TF_: Terraform has taken it too.
    *("TF_XLA", "TF_ENABLE", "TF_DISABLE", "TF_USE", "TF_GPU", "TF_CUDNN", "TF_CUDA", "TF_FORCE", "TF_DETERMINISTIC"),
    *("XLA_", "TORCH", "PYTORCH_", "ATEN_", "TRITON_", "ONEDNN_", "DNNL_"),
    *("CUDA_", "CUDNN_", "CUBLAS_", "NCCL_", "HIP_", "ROCR_"),
    *("LD_PRELOAD", "MALLOC_", "GLIBC_TUNABLES"),
)
"""Prefixes of variables with no option of ours: kept, recorded, and named in a notice."""

SELECTING = (
    *("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"),
    *("CUDA_HOME", "CUDA_PATH", "CUDA_VERSION"),
)
"""Kept without a notice: they choose a device or a place, not a speed."""


@dataclass(frozen=True)
class Environment:
    """The variables of a trial's process."""

    variables: Mapping[str, str]
    ours: Mapping[str, str]
    """What was set by us."""
    kept: Mapping[str, str]
    """What was kept from the user and can move performance."""
    dropped: tuple[str, ...]
    """Names of the user's variables that were left out."""


def build(user: Mapping[str, str], threads: int, scratch: Path) -> Environment:
    """The environment for trials with `threads` threads; `scratch` holds this run's private caches and Keras home."""
    ours = {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        # OpenBLAS starts its threads while numpy is imported; a zygote must have one, and nothing timed uses numpy.
        "OPENBLAS_NUM_THREADS": "1",
        "KERAS_BACKEND": "tensorflow",
        "KERAS_HOME": str(scratch / "keras"),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TORCHINDUCTOR_CACHE_DIR": str(scratch / "inductor"),
        "TRITON_CACHE_DIR": str(scratch / "triton"),
        "PYTHONHASHSEED": "random",
        "PYTHONUNBUFFERED": "1",
    }
    dropped = tuple(sorted(name for name in user if name.startswith(OURS)))
    kept = {
        name: value
        for name, value in sorted(user.items())
        if name.startswith(KEPT) and name not in dropped and name not in ours and name not in SELECTING
    }
    base = {name: value for name, value in user.items() if name not in dropped}
    return Environment(variables={**base, **ours}, ours=ours, kept=kept, dropped=dropped)

"""The table of frameworks: static facts about each. Imports none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from joulemark.suite.errors import unknown

ModeClass = Literal["eager", "graph", "compiled"]


@dataclass(frozen=True)
class Framework:
    """What the harness must know about a framework without importing it."""

    name: str
    title: str
    """The name as its makers write it."""
    distributions: tuple[str, ...]
    """Distributions on PyPI, any of which provides `module`."""
    companions: tuple[str, ...]
    """Other distributions of it that can change a result: their versions are recorded."""
    module: str
    extra: str
    """The extra of joulemark that installs it."""
    adapter: str
    """The module that drives it in a trial."""
    modes: Mapping[str, ModeClass]
    """Execution modes and the class of each; modes of different classes are never ranked without saying so."""
    default_mode: str
    """The mode that most of its users run."""
    precisions: tuple[str, ...]
    caches_compilation: bool
    """Whether compiled code is kept on disk for later processes."""
    variables: Mapping[str, str]
    """Environment variables that its trials need; `{scratch}` stands for the run's private folder."""
    managed_prefixes: tuple[str, ...]
    """Prefixes of its environment variables that joulemark's options replace."""
    performance_prefixes: tuple[str, ...]
    """Prefixes of its other environment variables that can change performance."""
    colour: str
    """Its colour in charts, from a palette that colour-blind readers can tell apart (Okabe and Ito 2008)."""
    markers: Mapping[str, str]
    """Marker of each mode in charts, by Plotly's names; of similar form within a framework, for prints in grey."""


_PYTORCH = Framework(
    name="pytorch",
    title="PyTorch",
    distributions=("torch",),
    companions=(),
    module="torch",
    extra="pytorch",
    adapter="joulemark.suite.trial.frameworks.pytorch",
    modes={"eager": "eager", "compile": "compiled"},
    default_mode="eager",
    precisions=("fp32", "tf32", "bf16", "fp16"),
    caches_compilation=True,
    variables={
        "TORCHINDUCTOR_CACHE_DIR": "{scratch}/inductor",
        "TRITON_CACHE_DIR": "{scratch}/triton",
        "PYTORCH_KERNEL_CACHE_PATH": "{scratch}",  # CUDA kernels that eager mode compiles; the folder must exist
    },
    managed_prefixes=(),
    performance_prefixes=(
        *("TORCH", "PYTORCH_", "ATEN_", "TRITON_", "FBGEMM_", "INDUCTOR_", "CUTLASS_", "KINETO_"),
        "CXX",  # compiles Inductor's kernels for the CPU
    ),
    colour="#0072B2",
    markers={"eager": "circle", "compile": "hexagram"},
)

_TENSORFLOW = Framework(
    name="tensorflow",
    title="TensorFlow",
    distributions=("tensorflow", "tensorflow-cpu", "intel-tensorflow", "tf-nightly"),
    companions=("keras",),
    module="tensorflow",
    extra="tensorflow",
    adapter="joulemark.suite.trial.frameworks.tensorflow",
    modes={"eager": "eager", "graph": "graph", "xla": "compiled"},
    default_mode="graph",
    precisions=("fp32", "tf32", "bf16", "fp16"),
    caches_compilation=False,
    # A user's keras.json can turn tf.keras into PyTorch.
    variables={"KERAS_BACKEND": "tensorflow", "KERAS_HOME": "{scratch}/keras", "TF_CPP_MIN_LOG_LEVEL": "2"},
    managed_prefixes=("TF_NUM_", "KERAS_"),
    performance_prefixes=(
        # Not all of TF_: Terraform uses it too, also for passwords.
        *("TF_XLA", "TF_ENABLE", "TF_DISABLE", "TF_USE", "TF_DETERMINISTIC", "TF_SYNC_", "TF2_", "XLA_"),
        *("TF_GPU", "TF_CUDNN", "TF_CUDA", "TF_CUBLAS", "TF_CUFFT", "TF_FORCE_GPU", "TF_FORCE_UNIFIED", "TF_TRT_"),
        *("TF_CPU_", "TF_ONEDNN", "TF_SET_ONEDNN", "TF_MKL", "TF_CONV", "TF_MATMUL", "TF_FP16_", "TF_AUTO"),
        *("TF_JIT", "TF_FUNCTION_JIT", "TF_GRAPH_CACHING", "TF_EAGER", "TF_OVERRIDE_GLOBAL", "TF_RUN_HANDLER"),
        *("TF_DEVICE_MIN", "TF_PER_DEVICE", "TF_PFLR", "TF_DATA_EXPERIMENT"),
    ),
    colour="#D55E00",
    markers={"eager": "triangle-up", "graph": "square", "xla": "diamond"},
)

FRAMEWORKS: Mapping[str, Framework] = MappingProxyType({each.name: each for each in (_PYTORCH, _TENSORFLOW)})


def mode_class(framework_name: str, mode: str) -> ModeClass:
    """Return the class of a framework's mode; similar modes of different frameworks share one."""
    return FRAMEWORKS[framework_name].modes[mode]


def framework(name: str) -> Framework:
    """Return the framework called `name`. Raises UsageError, with the names there are, if it is not known."""
    try:
        return FRAMEWORKS[name]
    except KeyError:
        raise unknown("framework", name, FRAMEWORKS) from None

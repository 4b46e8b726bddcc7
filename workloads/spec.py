"""The contract of a workload: framework-neutral facts here, one `build` a framework beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from joulemark.workloads.sources import version

Phase = Literal["inference", "training", "generation"]
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Size:
    """A preset of hyper-parameters."""

    hyper: Mapping[str, Any]
    """Hyper-parameters by the paper's names."""
    batch_size: Mapping[str, int]
    """Default batch size by kind of device: `cpu`, `cuda`."""

    def at(self, batch: int) -> Size:
        """This size for one batch size, which `build` then reads as `size.batch`."""
        return Size({**self.hyper, "batch": batch}, self.batch_size)

    def __getattr__(self, name: str) -> Any:
        """A hyper-parameter as an attribute, so that a model reads `size.width`."""
        try:
            return self.__dict__["hyper"][name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True)
class Count:
    """Number of parameters."""

    total: int
    trainable: int


@dataclass(frozen=True)
class Sgd:
    """Stochastic gradient descent: v <- momentum v + g; w <- w - learning_rate v, without Nesterov.

    Keras keeps the learning rate inside v, which is the same for a constant rate.
    """

    learning_rate: float
    momentum: float = 0.0


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1): epsilon is added to the root of the bias-corrected second moment."""

    learning_rate: float
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8


Optimizer = Sgd | Adam

ELEMENT_BYTES: Mapping[str, int] = {"fp32": 4, "tf32": 4, "bf16": 2, "fp16": 2}
"""Bytes of an element of inputs and outputs in memory by precision."""


@dataclass(frozen=True)
class Workload:
    """A named model and task, the same in every framework."""

    name: str
    title: str
    """A few words for people."""
    family: str
    item: str
    """What throughput counts, singular; `items` says otherwise for a phase."""
    paper: str
    """Where it is defined: author, year, and a link."""
    phases: tuple[Phase, ...]
    sizes: Mapping[str, Size]
    """`tiny` (tests), `small` (a laptop CPU), `base` (the paper's), and others where it has them."""
    inputs: Callable[[Size, Phase, int, np.random.Generator], Arrays]
    """(size, phase, batch size, generator) -> named arrays, seeded and not zero (power depends on the values)."""
    flops: Callable[[Size, Phase], float]
    """Floating-point operations (not multiply-adds) of one item. `flops_note` says what is left out."""
    bytes: Callable[[Size, Phase, int, int], float]
    """(size, phase, batch size, bytes of an element) -> compulsory traffic of one item: each weight and each input read
    once a step, each output written once; what caches cannot save. Weights are in float32 in every precision."""
    parameters: Callable[[Size], Count] = field(default=lambda _size: Count(0, 0))
    flops_note: str = ""
    items_per_sample: Callable[[Size, Phase], int] = field(default=lambda _size, _phase: 1)
    """Items in one sample of a batch (tokens of a sequence, say)."""
    items: Mapping[Phase, str] = field(default_factory=dict)
    """What throughput counts in a phase where it is not `item`."""
    batched: bool = True
    """False where a step is of one sample, whatever the batch size: any other than 1 is skipped."""
    devices: tuple[str, ...] = ("cpu", "cuda")
    """Kinds of device that it runs on."""
    optimizer: Optimizer | None = None
    """What a training step ends with; None where there are no parameters."""
    decreasing_output: str | None = None
    """Name of the output that falls on a fixed batch in 20 training steps; None where none does."""
    substitutes: Mapping[str, str] = field(default_factory=dict)
    """Where equality between frameworks cannot hold: pattern of tensor names -> what is tested in its place."""
    precisions: tuple[str, ...] = ("fp32", "tf32", "bf16", "fp16")
    """What it can run in; a case in another is skipped, never run in this precision under that name."""
    compiles: bool = True
    """False where a step is no computation that a compiler could take in: modes of the class `compiled` are skipped."""
    variant: str | None = None
    package: str = ""
    """The package that holds `pytorch.py`, `tensorflow.py`; empty: the one named like the workload."""

    @property
    def id(self) -> str:
        """`workload[.variant]`."""
        return f"{self.name}.{self.variant}" if self.variant else self.name

    @property
    def module(self) -> str:
        """The package that holds its implementations."""
        return self.package or f"joulemark.workloads.{self.name}"

    def counts(self, phase: Phase) -> str:
        """What throughput counts in `phase`, singular."""
        return self.items.get(phase, self.item)

    def refusal(self, device: str, precision: str, batch: int, compiled: bool) -> str | None:
        """Why it does not run on this kind of device, in this precision, batch size or class of mode; None where it
        does."""
        if device not in self.devices:
            return f"{self.id} runs on {' and '.join(self.devices)} alone, not on {device}"
        if precision not in self.precisions:
            return f"{self.id} runs in {', '.join(self.precisions)}, not in {precision}"
        if batch != 1 and not self.batched:
            return f"a step of {self.id} is of one sample, not of {batch}"
        if compiled and not self.compiles:
            return f"a step of {self.id} is nothing that a compiler could take in"
        return None

    def version(self) -> str:
        """12 hex digits that change with any source that the workload runs, in either framework: its own folder, what
        that imports, the kits. Unlike versions are unlike work."""
        return version(self.id, self.module)


@dataclass(frozen=True)
class Program:
    """A workload built in one framework: what a trial runs and what a parity test compares.

    All functions take tensors of the framework, by the names of `Workload.inputs`.
    """

    step: Callable[..., Mapping[str, Any]]
    """One step: named tensors in, named tensors out (`loss`, `logits`, ...). This is what a mode compiles."""
    weights: Callable[[], dict[str, np.ndarray]] = field(default=dict)
    """All weights and buffers by neutral name (`block1.conv.kernel`) and on neutral axes."""
    load_weights: Callable[[Arrays], None] = field(default=lambda _weights: None)
    """Sets them. KeyError names what is missing or too much; ValueError a shape that does not fit."""
    gradients: Callable[..., tuple[Mapping[str, Any], dict[str, np.ndarray]]] | None = None
    """Training only: (outputs, gradient by neutral name) at the present weights, without an update."""
    trainable: Callable[[], Sequence[str]] = field(default=tuple)
    """Neutral names of the trainable weights."""


class Kit(Protocol):
    """What `kits/<framework>.py` gives to `build`, as far as the harness itself uses it."""

    def tensor(self, array: np.ndarray) -> Any:
        """The array on the kit's device; floating point in its dtype, integers as they are."""

    def array(self, tensor: Any) -> np.ndarray:
        """The tensor as a numpy array (float64 for floating point)."""


Build = Callable[[Size, Phase, Any], Program]
"""`build(size, phase, kit)` of each implementation; the size is `size.at(batch size)`."""

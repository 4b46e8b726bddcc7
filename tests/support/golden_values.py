"""Golden values: what an independent implementation of a workload returns for given weights and inputs.

`python -m studies.golden` makes them, `tests/data/golden/` keeps them, `tests/workloads/test_golden.py` compares each
framework with them. Weights, and inputs of floating point, are drawn by name: a file holds names and shapes. Of a long
array it holds the norm and four products with random vectors, which another array does not share.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from joulemark.workloads.initial import fans

DATA = Path(__file__).parents[1] / "data" / "golden"
WHOLE = 64
"""Longest array that is kept number by number."""
PROJECTIONS = 4
TOLERANCE = 1e-9
"""Largest ||a - b|| / ||b||, in float64: its rounding is 1e-16, and the deepest of these models (53 convolutions with
batch norms over a few numbers) raises that to 1e-12."""

ROUNDING = 1e-12
"""A gradient whose norm is this part of the largest one, or less, is zero, as that of a bias before a softmax."""

Array = np.ndarray
Shape = Sequence[int]


@dataclass(frozen=True)
class Drawn:
    """An input of floating point that `numbers` draws."""

    shape: Shape
    kind: str
    """`normal`: standard normal; `unit`: uniform between 0 and 1; `bits`: 0 or 1; `complex`: normal in both parts."""


@dataclass(frozen=True)
class Golden:
    """One phase of one workload at size `tiny` and its default batch size, in float64."""

    workload: str
    phase: str
    source: str
    """What computed the values: package and version, or paper and equation."""
    weights: Mapping[str, Shape] = field(default_factory=dict)
    """Shape by neutral name: `weight` draws them."""
    factors: Mapping[str, float] = field(default_factory=dict)
    """What the weights are multiplied by, by pattern of names, where an operation would hardly matter otherwise."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """By name: an array, which is kept whole, or what `numbers` draws: a shape, for standard normal, or a `Drawn`."""
    steps: int = 1
    outputs: Mapping[str, Array] = field(default_factory=dict)
    """Outputs of the last step."""
    gradients: Mapping[str, Array] = field(default_factory=dict)
    """Gradient of the loss by neutral name, at the given weights."""
    after: Mapping[str, Array] = field(default_factory=dict)
    """Weights or buffers after the last step, by neutral name: those that the source gives."""

    @property
    def name(self) -> str:
        """`workload[.variant]-phase`."""
        return f"{self.workload}-{self.phase}"


def weight(name: str, shape: Shape) -> Array:
    """Return one weight, float64: scales near 1, offsets near 0, kernels by He's rule."""
    shape = tuple(shape)
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    match name.rpartition(".")[2]:
        case "gamma" | "moving_variance":
            return generator.uniform(0.5, 1.5, shape)
        case "beta" | "bias" | "moving_mean":
            return 0.1 * generator.standard_normal(shape)
        case "embeddings":
            return generator.standard_normal(shape) / math.sqrt(shape[-1])
    spread = math.sqrt(2 / fans(name, shape)[0]) if len(shape) > 1 else 1.0
    return spread * generator.standard_normal(shape)


def numbers(name: str, drawn: Shape | Drawn) -> Array:
    """Return an input of floating point: float64, or complex128."""
    kind, shape = (drawn.kind, drawn.shape) if isinstance(drawn, Drawn) else ("normal", drawn)
    generator = np.random.default_rng(zlib.crc32(f"input {name}".encode()))
    match kind:
        case "normal":
            return generator.standard_normal(tuple(shape))
        case "unit":
            return generator.uniform(0, 1, tuple(shape))
        case "bits":
            return generator.integers(0, 2, tuple(shape)).astype(np.float64)
        case "complex":
            real, imaginary = generator.standard_normal((2, *shape))
            return real + 1j * imaginary
    raise ValueError(f"input {name} is drawn as {kind}, not normal, unit, bits or complex")


def factor(golden: Golden, name: str) -> float:
    """Return what a weight that is drawn is multiplied by."""
    return math.prod(by for pattern, by in golden.factors.items() if fnmatchcase(name, pattern))


def draw(golden: Golden) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return (weights, inputs) by name."""
    return (
        {name: factor(golden, name) * weight(name, shape) for name, shape in golden.weights.items()},
        {
            name: value if isinstance(value, np.ndarray) else numbers(name, value)
            for name, value in golden.inputs.items()
        },
    )


def digest(array: Array) -> dict[str, Any]:
    """Return what is kept of an array: its shape, and its numbers or its norm and products with random vectors."""
    array = np.asarray(array)
    if np.iscomplexobj(array):
        array = np.stack([array.real, array.imag], axis=-1)
    kept: dict[str, Any] = {"shape": list(array.shape)}
    if array.dtype.kind in "iub":
        return {**kept, "integers": array.ravel().tolist()}
    flat = array.astype(np.float64).ravel()
    if flat.size <= WHOLE:
        return {**kept, "numbers": flat.tolist()}
    vectors = np.random.default_rng(flat.size).standard_normal((PROJECTIONS, flat.size))
    return {**kept, "norm": float(np.linalg.norm(flat)), "products": (vectors @ flat).tolist()}


def distance(actual: Mapping[str, Any], kept: Mapping[str, Any]) -> float:
    """Return ||a - b|| / ||b|| of two digests, estimated from the products where they hold no more; inf: not alike."""
    if actual.keys() != kept.keys() or actual["shape"] != kept["shape"]:
        return math.inf
    if "integers" in kept:
        return 0.0 if actual["integers"] == kept["integers"] else math.inf
    key = "numbers" if "numbers" in kept else "products"
    gap = float(np.linalg.norm(np.subtract(actual[key], kept[key])))
    # the products with standard normal vectors are normal with a deviation of the norm
    scale = float(np.linalg.norm(kept["numbers"])) if key == "numbers" else kept["norm"] * math.sqrt(PROJECTIONS)
    return gap / scale if scale else (0.0 if gap == 0 else math.inf)


def norm(digested: Mapping[str, Any]) -> float:
    """Return the norm of what is kept of an array; infinity for integers, which are compared as they are."""
    if "integers" in digested:
        return math.inf
    return float(digested["norm"] if "norm" in digested else np.linalg.norm(digested["numbers"]))


def differences(
    kind: str, actual: Mapping[str, Any], kept: Mapping[str, Mapping[str, Any]], tolerance: float = TOLERANCE
) -> list[str]:
    """Return a line for each kept array that the actual one, or its digest, is not equal to."""
    lines = [f"{kind} {name}: missing" for name in sorted(kept.keys() - actual.keys())]
    largest = max((size for each in kept.values() if (size := norm(each)) < math.inf), default=0.0)
    for name in sorted(kept.keys() & actual.keys()):
        new = actual[name] if isinstance(actual[name], Mapping) else digest(actual[name])
        gap = distance(new, kept[name])
        if not (gap <= tolerance or max(norm(new), norm(kept[name])) <= ROUNDING * largest):
            lines.append(f"{kind} {name}: differs by {gap:.1e}")
    return lines


def oriented(outputs: Mapping[str, Array]) -> dict[str, Array]:
    """Return principal components (B, k, d) and scores (B, n, k), which may point either way, turned to one side.

    The largest number of each component is then positive.
    """
    components = outputs["components"]
    largest = np.take_along_axis(components, np.abs(components).argmax(-1)[..., None], -1)  # (B, k, 1)
    signs = np.sign(largest)
    return {**outputs, "components": components * signs, "scores": outputs["scores"] * signs.swapaxes(1, 2)}


def entry(value: Array | Shape | Drawn) -> dict[str, Any]:
    """Return what a file holds of an input: all numbers of an array, or how it is drawn."""
    if isinstance(value, Drawn):
        return {"shape": list(value.shape), "drawn": value.kind}
    if not isinstance(value, np.ndarray):
        return {"shape": list(value)}
    return {"shape": list(value.shape), "numbers" if value.dtype.kind == "f" else "integers": value.ravel().tolist()}


def write(golden: Golden, folder: Path = DATA) -> Path:
    """Write the golden values and return the file."""
    content = asdict(golden)
    content["inputs"] = {name: entry(value) for name, value in golden.inputs.items()}
    for kind in ("outputs", "gradients", "after"):
        content[kind] = {name: digest(array) for name, array in content[kind].items()}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{golden.name}.json"
    path.write_text(text(content))
    return path


def text(content: Mapping[str, Any]) -> str:
    """Return JSON with a line for each array."""
    lines = []
    for key, value in content.items():
        if isinstance(value, dict) and value:
            entries = (f"  {json.dumps(name)}: {json.dumps(array)}" for name, array in value.items())
            lines.append(f"{json.dumps(key)}: {{\n" + ",\n".join(entries) + "\n }")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{" + ",\n ".join(lines) + "}\n"


def restored(entry: Mapping[str, Any]) -> Array | Shape | Drawn:
    """Return an input from what a file holds of it."""
    if values := entry.get("integers", entry.get("numbers")):
        return np.array(values).reshape(entry["shape"])
    return Drawn(entry["shape"], entry["drawn"]) if "drawn" in entry else entry["shape"]


def read(path: Path) -> tuple[Golden, dict[str, dict[str, Any]]]:
    """Return (workload, weights and inputs; digests by kind: outputs, gradients, after)."""
    content = json.loads(path.read_text())
    kept = {kind: content.pop(kind) for kind in ("outputs", "gradients", "after")}
    content["inputs"] = {name: restored(entry) for name, entry in content["inputs"].items()}
    return Golden(**content), kept

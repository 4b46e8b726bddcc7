"""The PyTorch kit: precision, tensors, layers, and the steps made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import nn

from joulemark.workloads.initial import Spread, draw
from joulemark.workloads.kits.pytorch.layers import Layers, SparseEmbedding
from joulemark.workloads.kits.pytorch.optimizers import make_optimizer
from joulemark.workloads.kits.pytorch.weights import entries, load, preserved, read, read_gradients, train
from joulemark.workloads.spec import Optimizer, Program

_COMPUTE = {
    "fp64": torch.float64,
    "fp32": torch.float32,
    "tf32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}

CONTIGUOUS_BELOW = 4
"""Width of a network's smallest images below which they are kept as (B, C, H, W) on a CPU."""

Outputs = Mapping[str, torch.Tensor]


def merge_outputs(outputs: Sequence[Outputs]) -> Outputs:
    """Return all outputs as one mapping; the losses are added up."""
    merged = {name: tensor for each in outputs for name, tensor in each.items()}
    return {**merged, "loss": sum(each["loss"] for each in outputs)}


class Learner:
    """One training: a part of a model, its forward function and its optimizer."""

    def __init__(self, kit: Kit, part: nn.Module, forward: Callable[..., Outputs], definition: Optimizer) -> None:
        self.kit, self.forward = kit, forward
        self.parameters = [p for p in part.parameters() if p.requires_grad]
        sparse = any(isinstance(module, SparseEmbedding) for module in part.modules())
        self.optimizer = kit.optimizer(self.parameters, definition, sparse)
        self.scaler = torch.amp.GradScaler(kit.device.type, enabled=kit.precision == "fp16")

    def differentiate(self, inputs: Mapping[str, torch.Tensor]) -> Outputs:
        """Return the outputs; gradients are left in the part's own parameters."""
        with self.kit.autocast():
            outputs = self.forward(**inputs)
        self.scaler.scale(outputs["loss"]).backward(inputs=self.parameters)
        return {name: output.detach() for name, output in outputs.items()}

    def learn(self, inputs: Mapping[str, torch.Tensor]) -> Outputs:
        """Return the outputs of one training step: gradients and the optimizer's update."""
        self.optimizer.zero_grad(set_to_none=True)
        outputs = self.differentiate(inputs)
        if self.scaler.is_enabled():
            self.scaler.step(self.optimizer)
            self.scaler.update()
        else:
            self.optimizer.step()
        return outputs


class Kit(Layers):
    """One device, precision and seed.

    `bf16` and `fp16` are mixed precision as in PyTorch's AMP recipe: autocast, float32 weights, and a GradScaler for
    fp16 training. `fp64` is for parity tests only.
    """

    def __init__(self, device: str = "cpu", precision: str = "fp32", seed: int = 0) -> None:
        self.device = torch.device(device)
        self.precision = precision
        self.memory_format = torch.channels_last
        self.seed = seed
        self.compute_dtype = _COMPUTE[precision]
        self.dtype = torch.float64 if precision == "fp64" else torch.float32
        self.mixed = precision in ("bf16", "fp16")
        if precision in ("fp32", "tf32"):
            torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
            torch.backends.cudnn.allow_tf32 = precision == "tf32"

    def choose_memory_format(self, smallest_edge: int) -> None:
        """Choose the memory format of images, before the model is made, by the width of its smallest images.

        It is channels-last, except on a CPU where the smallest images have few pixels and many channels: there oneDNN
        is faster on (B, C, H, W), 0.80 of the time in ResNet-50 at 64 x 64 (last images 2 x 2), but 1.2 times it at
        224 x 224.
        """
        contiguous = self.device.type == "cpu" and smallest_edge < CONTIGUOUS_BELOW
        self.memory_format = torch.contiguous_format if contiguous else torch.channels_last

    def tensor(self, array: np.ndarray) -> torch.Tensor:
        """Return the array on the device: floating point in the case's precision, integers and booleans unchanged."""
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        dtype = self.compute_dtype if tensor.is_floating_point() else tensor.dtype
        if tensor.is_complex():
            dtype = torch.complex128 if self.precision == "fp64" else torch.complex64
        return tensor.to(self.device, dtype, copy=True)

    def array(self, tensor: torch.Tensor) -> np.ndarray:
        """Return the tensor as a numpy array, floating point as float64."""
        tensor = tensor.detach().cpu()
        return tensor.double().numpy() if tensor.is_floating_point() else tensor.numpy()

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the autocast context of the case's precision."""
        return torch.autocast(self.device.type, self.compute_dtype, enabled=self.mixed)

    def prepare(self, model: nn.Module, spread: Spread) -> nn.Module:
        """Return the model on the device, with weights drawn by `workloads.initial`, in the images' memory format."""
        drawn = {e.name: draw(e.name, e.shape, spread, self.seed) for e in entries(model)}
        load(model, drawn)
        return model.to(self.device, self.dtype, memory_format=self.memory_format)

    def kernel(self, compute: Callable[..., Outputs]) -> Program:
        """Return a step without weights or gradients."""

        @torch.no_grad()
        def step(**inputs: torch.Tensor) -> Outputs:
            return compute(**inputs)

        return Program(step=step)

    def inference(self, model: nn.Module, forward: Callable[..., Outputs]) -> Program:
        """Return forward passes in evaluation mode, without gradients.

        They run under no_grad, since Inductor fails on views made under inference_mode (PyTorch 2.13: "Cannot set
        version_counter for inference tensor").
        """
        model.eval()

        @torch.no_grad()
        def step(**inputs: torch.Tensor) -> Outputs:
            with self.autocast():
                return forward(**inputs)

        return self._program(model, step)

    def training(self, model: nn.Module, forward: Callable[..., Outputs], optimizer: Optimizer) -> Program:
        """Return a training step: forward, backward from the output `loss`, and the optimizer's update."""
        return self.alternating_training(model, [(model, forward)], optimizer)

    def alternating_training(
        self, model: nn.Module, players: Sequence[tuple[nn.Module, Callable[..., Outputs]]], optimizer: Optimizer
    ) -> Program:
        """Return one step of several trainings, one after another.

        Each player is a part of the model and its forward function, with an optimizer of its own. Outputs named `loss`
        are added up.
        """
        train(model)
        learners = [Learner(self, part, forward, optimizer) for part, forward in players]

        def step(**inputs: torch.Tensor) -> Outputs:
            return merge_outputs([learner.learn(inputs) for learner in learners])

        def gradients(**inputs: torch.Tensor) -> tuple[Outputs, dict[str, np.ndarray]]:
            named: dict[str, np.ndarray] = {}
            outputs = []
            for learner in learners:
                with preserved(model):
                    outputs.append(learner.differentiate(inputs))
                    named |= read_gradients(model, learner.scaler.get_scale())
            return merge_outputs(outputs), named

        return self._program(model, step, gradients)

    def layer(
        self, forward: Callable[..., torch.Tensor], model: nn.Module | None = None, optimizer: Optimizer | None = None
    ) -> Program:
        """Return forward and backward of one layer, from a given gradient `upstream` of its output.

        It ends at the gradients of the input `x` and of the weights, which the optimizer then updates. There is no
        loss, so fp16 needs no loss scaling.
        """
        parameters = [p for p in model.parameters() if p.requires_grad] if model else []
        update = self.optimizer(parameters, optimizer) if optimizer else None

        def differentiate(x: torch.Tensor, upstream: torch.Tensor) -> Outputs:
            x = x.detach().requires_grad_()
            with self.autocast():
                output = forward(x)
            output.backward(upstream.to(output.dtype))
            return {"output": output.detach(), "gradient": x.grad}

        def step(x: torch.Tensor, upstream: torch.Tensor) -> Outputs:
            if update is None:
                return differentiate(x, upstream)
            update.zero_grad(set_to_none=True)
            outputs = differentiate(x, upstream)
            update.step()
            return outputs

        if model is None:
            return Program(step=step)
        model.train()

        def gradients(x: torch.Tensor, upstream: torch.Tensor) -> tuple[Outputs, dict[str, np.ndarray]]:
            with preserved(model):
                return differentiate(x, upstream), read_gradients(model)

        return self._program(model, step, gradients)

    def optimizer(
        self, parameters: list[nn.Parameter], definition: Optimizer, sparse: bool = False
    ) -> torch.optim.Optimizer:
        """Return the optimizer that the spec defines; `sparse` where gradients of the parameters are."""
        return make_optimizer(parameters, definition, sparse)

    @staticmethod
    def _program(model: nn.Module, step: Callable[..., Outputs], gradients: Any = None) -> Program:
        return Program(
            step=step,
            weights=lambda: read(model),
            load_weights=lambda arrays: load(model, arrays),
            gradients=gradients,
            trainable=lambda: [e.name for e in entries(model) if e.tensor.requires_grad],
        )

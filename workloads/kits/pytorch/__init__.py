"""The PyTorch kit: precision, tensors, layers, and the steps made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from joulemark.workloads.initial import Spread, draw
from joulemark.workloads.kits.pytorch.generation import Generation
from joulemark.workloads.kits.pytorch.layers import Layers
from joulemark.workloads.kits.pytorch.learner import Learner, Outputs, merge_outputs, squared_norm
from joulemark.workloads.kits.pytorch.optimizers import clip_gradients, make_optimizer
from joulemark.workloads.kits.pytorch.weights import entries, load, preserved, read, read_gradients, train
from joulemark.workloads.spec import Optimizer, Program

_COMPUTE = {
    "fp64": torch.float64,
    "fp32": torch.float32,
    "tf32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


class Kit(Layers, Generation):
    """One device, precision and seed, for programs that train or for those that do not.

    In `bf16` and `fp16`, training is mixed precision as in PyTorch's AMP recipe: autocast, float32 weights, and a
    GradScaler for fp16. Without training, the weights are in that precision once and for all, except batch norms':
    float32, as cuDNN and TensorFlow's kernel need them. `fp64` is for parity tests only.
    """

    def __init__(
        self,
        device: str = "cpu",
        precision: str = "fp32",
        seed: int = 0,
        training: bool = True,
        learning_rate_factor: float = 1.0,
    ) -> None:
        self.device = torch.device(device)
        self.precision = precision
        self.seed = seed
        self.learning_rate_factor = learning_rate_factor
        self.spread: Spread | None = None
        self.compute_dtype = _COMPUTE[precision]
        self.wide = torch.float64 if precision == "fp64" else torch.float32
        self.dtype = self.wide if training else self.compute_dtype
        self.mixed = training and precision in ("bf16", "fp16")
        if precision in ("fp32", "tf32"):
            torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
            torch.backends.cudnn.allow_tf32 = precision == "tf32"

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
        self.spread = spread
        self._draw(model, spread)
        model.to(self.device, self.dtype, memory_format=torch.channels_last)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.to(self.wide)
        return model

    def _draw(self, model: nn.Module, spread: Spread) -> None:
        load(model, {e.name: draw(e.name, e.shape, spread, self.seed) for e in entries(model)})

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
                    named |= read_gradients(model, learner.scale())
            return merge_outputs(outputs), named

        def norms(**inputs: torch.Tensor) -> Mapping[str, float]:
            outputs: list[Outputs] = []
            square = 0.0
            for learner in learners:
                with preserved(model):
                    outputs.append(learner.differentiate(inputs))
                    square += squared_norm(learner.parameters, learner.scale())
            return {"loss": float(merge_outputs(outputs)["loss"]), "gradient_norm": math.sqrt(square)}

        return self._program(model, step, gradients, norms)

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
            if optimizer is not None:
                clip_gradients(parameters, optimizer)
            update.step()
            return outputs

        if model is None:
            return Program(step=step)
        model.train()

        def gradients(x: torch.Tensor, upstream: torch.Tensor) -> tuple[Outputs, dict[str, np.ndarray]]:
            with preserved(model):
                return differentiate(x, upstream), read_gradients(model)

        def norms(x: torch.Tensor, upstream: torch.Tensor) -> Mapping[str, float]:
            with preserved(model):
                differentiate(x, upstream)
                return {"gradient_norm": math.sqrt(squared_norm(parameters))}

        return self._program(model, step, gradients, norms)

    def optimizer(
        self, parameters: list[nn.Parameter], definition: Optimizer, sparse: bool = False
    ) -> torch.optim.Optimizer:
        """Return the optimizer that the spec defines; `sparse` where gradients of the parameters are."""
        scaled = replace(definition, learning_rate=self.learning_rate_factor * definition.learning_rate)
        return make_optimizer(parameters, scaled, sparse)

    def _program(
        self, model: nn.Module, step: Callable[..., Outputs], gradients: Any = None, norms: Any = None
    ) -> Program:
        spread = self.spread
        return Program(
            step=step,
            weights=lambda: read(model),
            load_weights=lambda arrays: load(model, arrays),
            gradients=gradients,
            norms=norms,
            initialise=lambda: self._draw(model, spread) if spread else None,
            trainable=lambda: [e.name for e in entries(model) if e.tensor.requires_grad],
        )

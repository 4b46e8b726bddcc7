"""The power a case is charged with, out of what all sensors show."""

from __future__ import annotations

import pytest
from report_files import on_gpu

from joulemark.suite.energy.present_power import ComponentPower, charged_power_w

GPUS = on_gpu().machine.gpus
PACKAGE = ComponentPower("package", "package-0", "counter", 50.0)
CPU, RAM = ComponentPower("cpu", "host", "model", 8.0), ComponentPower("ram", "host", "model", 20.0)
GPU = ComponentPower("gpu", GPUS[0].uuid, "integrated", 250.0)
OTHER_GPU = ComponentPower("gpu", "GPU-9", "integrated", 80.0)


@pytest.mark.parametrize(
    ("powers", "device", "expected"),
    [
        ([PACKAGE, GPU], "cpu", (50.0, False)),
        ([PACKAGE, GPU, OTHER_GPU], "cuda:0", (300.0, False)),
        ([CPU, RAM, GPU], "cpu", (28.0, True)),
        ([CPU, RAM, GPU], "cuda:0", (250.0, False)),
        ([GPU], "cpu", None),
        ([], "cpu", None),
    ],
)
def test_only_what_a_case_is_charged_with(
    powers: list[ComponentPower], device: str, expected: tuple[float, bool] | None
) -> None:
    assert charged_power_w(powers, device, GPUS) == expected

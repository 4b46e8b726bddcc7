"""The channels of one NVIDIA GPU, through the real nvidia-ml-py and a library in C that exports the calls used."""

from __future__ import annotations

from pathlib import Path

import nvml_library
import pytest
from nvml_library import FakeGpu
from sampled_gpu import Sampled, gpu, sample

from joulemark.suite.sensors.gpus import nvml_gpu

A, B = (f"GPU-{name}-0000-0000-0000-000000000000" for name in ("aaaa1111", "bbbb2222"))
GPUS = (gpu(A, "cuda:0"), gpu(B, "cuda:1"))
SECOND_BUS = "00000000:02:00.0"


def _sample(library: Path, tmp_path: Path, *gpus: FakeGpu, seconds: float = 0.6) -> Sampled:
    return sample(tmp_path / "t", "nvml", nvml_library.environment(library, gpus), seconds)


@pytest.mark.slow
def test_counter_and_instant_power_of_each_gpu(nvml_path: Path, tmp_path: Path) -> None:
    sampled = _sample(nvml_path, tmp_path, FakeGpu(A, 250.0), FakeGpu(B, 100.0, bus=SECOND_BUS))
    channels = [(c.scope, c.unit, c.kind, c.average_s) for c in sampled.trace.channels]
    assert channels == [(u, unit, k, 0.0) for u in (A, B) for unit, k in (("J", "counter"), ("W", "integrated"))]
    assert {channel.limit_w for channel in sampled.trace.channels} == {400.0}
    charged, listed = (sampled.reading(0.05, 0.45, GPUS, uuid) for uuid in (A, B))
    assert charged.attributed
    assert not listed.attributed
    assert charged.kind == "counter"
    assert charged.energy_j == pytest.approx(250.0 * 0.4, rel=0.01)
    assert listed.energy_j == pytest.approx(100.0 * 0.4, rel=0.01)


@pytest.mark.slow
def test_without_a_counter_power_is_integrated(nvml_path: Path, tmp_path: Path) -> None:
    sampled = _sample(nvml_path, tmp_path, FakeGpu(A, 250.0, "no_energy no_instant"))
    (channel,) = sampled.trace.channels
    assert (channel.unit, channel.average_s) == ("W", 1.0)
    energy = sampled.reading(0.0, 0.1, GPUS, A)
    assert energy.kind == "integrated"
    assert energy.energy_j == pytest.approx(25.0)


@pytest.mark.slow
@pytest.mark.parametrize("traits", ["no_energy", "no_power no_instant no_average no_legacy"])
def test_power_far_above_the_limit_of_a_gpu_is_not_believed(nvml_path: Path, tmp_path: Path, traits: str) -> None:
    """Of 400 W: by power samples or, without them, by the counter's steps."""
    energy = _sample(nvml_path, tmp_path, FakeGpu(A, 5930.0, traits)).reading(0.1, 0.5, GPUS, A)
    assert (energy.energy_j, energy.kind) == (None, "unavailable")
    assert "600 W (1.5 times its limit of 400 W)" in (energy.reason or "") or "jumped" in (energy.reason or "")


@pytest.mark.slow
def test_unsupported_power_fields_fall_back_to_the_older_call(nvml_path: Path, tmp_path: Path) -> None:
    """The call succeeds; each field has its own return code, and no value."""
    sampled = _sample(nvml_path, tmp_path, FakeGpu(A, 250.0, "old_fields no_energy ga100"))
    (channel,) = sampled.trace.channels
    assert channel.source.startswith("nvmlDeviceGetPowerUsage")
    assert sampled.reading(0.0, 0.1, GPUS, A).energy_j == pytest.approx(25.0)


@pytest.mark.slow
@pytest.mark.parametrize(("trait", "average_s"), [("ampere", 1.0), ("ga100", 0.0), ("", 0.0)])
def test_power_usage_is_an_average_on_ampere_except_ga100(
    nvml_path: Path, tmp_path: Path, trait: str, average_s: float
) -> None:
    power_usage_only = FakeGpu(A, 250.0, f"no_energy no_instant no_average {trait}")
    (channel,) = _sample(nvml_path, tmp_path, power_usage_only, seconds=0.2).trace.channels
    assert "nvmlDeviceGetPowerUsage" in channel.source
    assert channel.average_s == average_s


@pytest.mark.slow
def test_counter_reset_is_undone_and_reported(nvml_path: Path, tmp_path: Path) -> None:
    fake = FakeGpu(A, 250.0, "reset:1.5 no_instant no_average no_legacy")
    sampled = _sample(nvml_path, tmp_path, fake, seconds=1.5)
    (channel,) = sampled.trace.channels
    assert len(channel.resets_s) == 1
    energy = sampled.reading(0.1, 1.2, GPUS, A)
    assert energy.energy_j is not None
    assert energy.high_j is not None
    # The edges of the window are placed between updates, whose times are known to about a millisecond.
    assert 250.0 * 1.1 - 250.0 * 0.15 <= energy.energy_j <= 250.0 * (1.1 + 0.001)
    assert energy.high_j >= 250.0 * 1.1
    assert "reset" in (energy.reason or "")


@pytest.mark.slow
def test_lost_gpu_has_no_energy_and_a_reason(nvml_path: Path, tmp_path: Path) -> None:
    sampled = _sample(nvml_path, tmp_path, FakeGpu(A, 250.0, "lost:1.3"), seconds=2.0)
    energy = sampled.reading(0.0, 1.8, GPUS, A)
    assert (energy.energy_j, energy.kind, energy.attributed) == (None, "unavailable", True)
    assert energy.reason


@pytest.mark.slow
def test_split_gpu_is_labelled_as_shared(nvml_path: Path, tmp_path: Path) -> None:
    sampled = _sample(nvml_path, tmp_path, FakeGpu(A, 250.0, "mig"), seconds=0.3)
    energy = sampled.reading(0.0, 0.2, [gpu(A, "cuda:0", mig=True)], A)
    assert "MIG" in (energy.reason or "")


@pytest.mark.slow
def test_module_power_is_listed_and_not_charged(nvml_path: Path, tmp_path: Path) -> None:
    grace = FakeGpu(A, 250.0, "grace", name="NVIDIA of a name to come")
    sampled = _sample(nvml_path, tmp_path, grace, FakeGpu(B, 100.0, bus=SECOND_BUS))
    assert [c.component for c in sampled.trace.channels if c.scope == A] == ["undetermined", "gpu", "module"]
    readings = sampled.readings(0.05, 0.45, GPUS)
    (module,) = [energy for energy in readings if energy.component == "module"]
    assert (module.scope, module.attributed, module.kind) == (A, False, "integrated")
    assert module.energy_j == pytest.approx(0.4 * (250.0 + nvml_library.GRACE_W), rel=0.01)
    charged = [energy for energy in readings if energy.attributed and energy.energy_j is not None]
    assert [(energy.component, energy.scope, energy.kind) for energy in charged] == [("gpu", A, "integrated")]
    assert charged[0].energy_j == pytest.approx(0.4 * 250.0, rel=0.01)


@pytest.mark.slow
def test_module_power_is_left_out_without_driver_support(nvml_path: Path, tmp_path: Path) -> None:
    sampled = _sample(nvml_path, tmp_path, FakeGpu(A, 250.0, name="NVIDIA GH200 480GB"), seconds=0.2)
    assert {channel.component for channel in sampled.trace.channels} == {"gpu"}


@pytest.mark.parametrize(
    ("architecture", "is_ga100", "name", "share"),
    [(7, True, "A100", 0.25), (9, False, "H100", 0.25), (5, False, "V100", 0.5), (8, False, "RTX 4090", 1.0)],
)
def test_coverage_follows_the_paper(architecture: int, is_ga100: bool, name: str, share: float) -> None:
    assert nvml_gpu.coverage(architecture, is_ga100, name) == share


def test_coverage_of_an_unknown_architecture() -> None:
    assert nvml_gpu.coverage(None, False, "new") == nvml_gpu.UNKNOWN_COVERAGE

"""The sensor `amdsmi` through the real amdsmi package and a library in C in place of libamd_smi.so."""

from __future__ import annotations

import json
import time
from pathlib import Path

import amdsmi_library
import pytest
from amdsmi_library import POWER_W
from sampled_gpu import gpu, sample

from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.base import Finding
from joulemark.suite.sensors.sampler import Sampler

pytestmark = pytest.mark.slow


def _findings(path: Path, environment: dict[str, str]) -> tuple[Finding, ...]:
    with Sampler.start(path, time.monotonic(), sensors=["amdsmi"], environment=environment) as sampler:
        return sampler.findings


@pytest.mark.parametrize(
    ("traits", "kinds"),
    [
        ("", ["counter", "integrated"]),
        ("no_energy", ["integrated"]),
        ("zero", ["integrated"]),
        ("no_power", ["counter"]),
        ("no_energy absent_32", ["integrated"]),
    ],
)
def test_energy_and_power_of_a_gpu(rocm_path: Path, tmp_path: Path, traits: str, kinds: list[str]) -> None:
    environment = amdsmi_library.environment(rocm_path, tmp_path, traits)
    sampled = sample(tmp_path / "t", "amdsmi", environment, 0.8)
    assert [channel.kind for channel in sampled.trace.channels] == kinds
    energy = sampled.reading(0.1, 0.6, [gpu("amd-1", "cuda:0")], "amd-1")
    assert energy.attributed
    assert energy.kind == kinds[0]
    assert energy.energy_j == pytest.approx(POWER_W * 0.5, rel=0.01)
    if "counter" in kinds:  # constant power never changes: its update period cannot be measured
        kept = json.loads((tmp_path / "ticks.json").read_text())
        assert list(kept) == ["probe 2: amd-1 driver 6.14.14 amdsmi_get_energy_count"]


@pytest.mark.parametrize(("traits", "found"), [("no_driver", False), ("no_energy no_power", True)])
def test_unreadable_gpu_has_a_reason(rocm_path: Path, tmp_path: Path, traits: str, found: bool) -> None:
    (finding,) = _findings(tmp_path / "t", amdsmi_library.environment(rocm_path, tmp_path, traits))
    assert (finding.found, finding.readable) == (found, False)
    assert finding.reason
    assert "\n" not in finding.reason


@pytest.mark.parametrize(("traits", "numbers"), [("three falters", (1, 2, 3)), ("three nameless", (1, 3))])
def test_failing_call_of_one_gpu_loses_no_other(
    rocm_path: Path, tmp_path: Path, traits: str, numbers: tuple[int, ...]
) -> None:
    findings = _findings(tmp_path / "t", amdsmi_library.environment(rocm_path, tmp_path, traits))
    (trace,) = trace_file.load(tmp_path / "t")
    assert [channel.scope for channel in trace.channels] == [f"amd-{n}" for n in numbers for _ in range(2)]
    assert [finding.readable for finding in findings] == [n in numbers for n in (1, 2, 3)]
    assert all(finding.reason for finding in findings)


def test_missing_library_is_reported_and_prints_nothing(tmp_path: Path) -> None:
    (finding,) = _findings(tmp_path / "t", amdsmi_library.environment(tmp_path / "none", tmp_path))
    assert (finding.found, finding.readable) == (False, False)
    assert finding.fix


@pytest.mark.parametrize(("traits", "limit_w"), [("", 750.0), ("no_cap", None), ("cap_in_watts", None)])
def test_power_cap_of_a_gpu(rocm_path: Path, tmp_path: Path, traits: str, limit_w: float | None) -> None:
    environment = amdsmi_library.environment(rocm_path, tmp_path, traits)
    sampled = sample(tmp_path / "t", "amdsmi", environment, 0.2)
    assert {channel.highest_limit_w for channel in sampled.trace.channels} == {limit_w}

"""Where energy comes from, in words: each component is named once, under what is true of it."""

from __future__ import annotations

import pytest
from run_files import case, run_file, trial

from joulemark.suite.energy.components import SECOND_OPINION
from joulemark.suite.energy.energy_source import energy_source, source_of_cases
from joulemark.suite.records import EnergyReading, Kind


def reading(component: str, sensor: str, kind: Kind, attributed: bool = True, scope: str = "host") -> EnergyReading:
    has_value = kind != "unavailable"
    return EnergyReading(
        component=component,
        scope=scope,
        kind=kind,
        attributed=attributed,
        energy_j=10.0 if has_value else None,
        reason=None if has_value else "absent",
        sensor=sensor,
    )


PACKAGE, DRAM = reading("package", "rapl", "counter"), reading("dram", "rapl", "counter")
GPU = reading("gpu", "nvml", "counter", scope="GPU-1")
NO_HOST = [reading("package", "", "unavailable"), reading("dram", "", "unavailable")]
ESTIMATES = [reading("cpu", "codecarbon", "model"), reading("ram", "codecarbon", "model")]
BESIDE = [each.model_copy(update={"attributed": False}) for each in ESTIMATES]
WALL = reading("machine", "meter", "integrated", attributed=False, scope="wall")


@pytest.mark.parametrize(
    ("readings", "text"),
    [
        ([PACKAGE, DRAM], "measured (rapl)"),
        ([PACKAGE, DRAM, GPU], "measured (rapl, nvml)"),
        ([*NO_HOST, *BESIDE, GPU], "measured (nvml); host estimated, not in the sums"),
        ([*NO_HOST, GPU], "measured (nvml); host not measured"),
        ([PACKAGE, NO_HOST[1]], "measured (rapl); memory not measured"),
        (ESTIMATES, "estimated (codecarbon)"),
        ([*ESTIMATES, WALL], "estimated (codecarbon); whole machine measured (meter), not in the sums"),
        (
            [*ESTIMATES, GPU.model_copy(update={"attributed": False})],
            "estimated (codecarbon); GPU measured (nvml), not in the sums",
        ),
        (
            [PACKAGE, DRAM, GPU, reading("gpu", "nvml", "counter", attributed=False, scope="GPU-2")],
            "measured (rapl, nvml); other GPUs measured (nvml), not in the sums",
        ),
        ([*NO_HOST, WALL], "not measured; whole machine measured (meter), not in the sums"),
        (NO_HOST, "not measured"),
        ([], "not measured"),
        ([reading("package", "", "counter")], "measured"),
        (
            [*NO_HOST, *BESIDE, GPU, WALL],
            "measured (nvml); host estimated, whole machine measured (meter), not in the sums",
        ),
    ],
)
def test_source_of_readings(readings: list[EnergyReading], text: str) -> None:
    assert energy_source(readings) == text


def test_an_estimate_names_its_evidence_and_what_the_other_model_says() -> None:
    """The other model's 10 J each are listed and are no source, whatever else is measured."""
    cpu = reading("cpu", "power_model", "model").model_copy(update={"evidence": "3 servers with EPYC 9755"})
    ram = reading("ram", "power_model", "model").model_copy(update={"evidence": "0.1 W/GB", "energy_j": 6.0})
    second = [reading(name, "power_model", "model", attributed=False) for name in SECOND_OPINION]
    text = "estimated (3 servers with EPYC 9755, 0.1 W/GB)"
    assert energy_source([cpu, ram, *second]) == f"{text}; by codecarbon's model 1.2 times as much"
    beside = [each.model_copy(update={"attributed": False}) for each in (cpu, ram)]
    assert energy_source([*NO_HOST, *beside, *second, GPU]) == "measured (nvml); host estimated, not in the sums"
    cases = [case(trials=[trial(readings=[cpu, ram, *second])]), case(trials=[trial(readings=[cpu, *second])])]
    assert source_of_cases([run_file(cases[:1])]) == energy_source([cpu, ram, *second])
    assert (source_of_cases([run_file(cases)]) or "").endswith("; by codecarbon's model 1.2 to 2 times as much")


def test_a_simulated_sensor_does_not_measure() -> None:
    simulated = reading("package", "simulated", "counter", scope="simulated rapl")
    assert energy_source([simulated], {"simulated"}) == "simulated"
    assert energy_source([PACKAGE], {"rapl"}) == "simulated (rapl)"


def test_cases_with_different_sources_are_counted() -> None:
    on_gpu = [case(device="cuda:0", trials=[trial(readings=[*NO_HOST, *BESIDE, GPU])]) for _ in range(2)]
    on_cpu = case(trials=[trial(readings=ESTIMATES)])
    assert source_of_cases([run_file([*on_gpu])]) == "measured (nvml); host estimated, not in the sums"
    assert source_of_cases([run_file([*on_gpu, on_cpu])]) == (
        "measured (nvml) in 2 cases; host estimated, not in the sums. Estimated (codecarbon) in 1 case"
    )
    assert source_of_cases([run_file([])]) is None

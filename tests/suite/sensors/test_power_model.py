"""The estimate of power without a sensor: what it rests on, on machines of many kinds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from joulemark.suite.energy.components import SECOND_OPINION
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import Trace
from joulemark.suite.sensors.base import SensorOptions
from joulemark.suite.sensors.power_model.aggregates import RAM_W_PER_GB, hosts, load_shape, ranges, servers
from joulemark.suite.sensors.power_model.architectures import architecture_of
from joulemark.suite.sensors.power_model.codecarbon import SHORTEST_S, Model
from joulemark.suite.sensors.power_model.evidence import best_evidence
from joulemark.suite.sensors.power_model.host import describe
from joulemark.suite.sensors.power_model.sensor import BusyShare, PowerModel, find

AZURE = {"sys_vendor": "Microsoft Corporation", "chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77"}
GOOGLE = {"sys_vendor": "Google", "product_name": "Google Compute Engine"}

Tree = Callable[..., tuple[str, str]]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return a function that builds /sys/class/dmi/id and /proc of a machine, and returns both folders."""

    def build(dmi: dict[str, str], processor: str, threads: int, memory_gb: float = 8.0) -> tuple[str, str]:
        for folder, files in (
            ("dmi", dmi),
            ("proc", {"meminfo": f"MemTotal:       {memory_gb * 1e9 / 1024:.0f} kB\nMemFree: 1 kB", "cpuinfo": ""}),
        ):
            (tmp_path / folder).mkdir()
            for name, text in files.items():
                (tmp_path / folder / name).write_text(text + "\n")
        blocks = (f"processor\t: {number}\n{processor}\n" for number in range(threads))
        (tmp_path / "proc" / "cpuinfo").write_text("\n".join(blocks))
        return str(tmp_path / "dmi"), str(tmp_path / "proc")

    return build


def x86(
    name: str, vendor: str, family: int, model: int, stepping: int = 0, siblings: int = 2, guest: bool = True
) -> str:
    """Return the fields of one processor as Linux shows them; `siblings` of one core."""
    fields = {
        "vendor_id": vendor,
        "cpu family": family,
        "model": model,
        "model name": name,
        "stepping": stepping,
        "siblings": 2 * siblings,
        "cpu cores": 2,
        "flags": "fpu avx2" + " hypervisor" * guest,
    }
    return "\n".join(f"{key}\t: {value}" for key, value in fields.items())


CASCADE_LAKE = x86("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", "GenuineIntel", 6, 85, 7)
SIENA = x86("AMD EPYC 8324P 32-Core Processor", "AuthenticAMD", 25, 160)
MILAN = x86("AMD EPYC 7763 64-Core Processor", "AuthenticAMD", 25, 1)
TURIN = x86("AMD EPYC", "AuthenticAMD", 26, 2, 1, siblings=1)
BROADWELL = x86("Intel(R) Xeon(R) CPU @ 2.20GHz", "GenuineIntel", 6, 79)
NEOVERSE = "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c"


@pytest.mark.parametrize(
    ("dmi", "processor", "step", "subject", "provider"),
    [
        ({"sys_vendor": "Amazon EC2", "product_name": "m5.large"}, CASCADE_LAKE, "instance", "m5.large", "Amazon EC2"),
        ({"board_asset_tag": "i-0123456789abcdef0"}, CASCADE_LAKE, "instance", "this EC2 instance", "Amazon EC2"),
        (AZURE, MILAN, "architecture", "EPYC 7003", "Microsoft Azure"),
        (GOOGLE, BROADWELL, "architecture", "Broadwell-EP", "Google Compute Engine"),
        ({}, TURIN, "architecture", "EPYC 9005", ""),
        ({}, SIENA, "architecture", "EPYC 8004", ""),
        ({"sys_vendor": "Amazon EC2", "product_name": "m6a.large"}, MILAN, "architecture", "EPYC 7003", "Amazon EC2"),
        (
            {"sys_vendor": "Amazon EC2", "product_name": "m6g.large"},
            NEOVERSE,
            "architecture",
            "Neoverse N1",
            "Amazon EC2",
        ),
    ],
)
def test_the_strongest_evidence_is_found_without_a_network(
    tree: Tree, dmi: dict[str, str], processor: str, step: str, subject: str, provider: str
) -> None:
    host = describe(*tree(dmi, processor, 2))
    evidence = best_evidence(host)
    assert evidence is not None
    assert (evidence.step, host.provider, host.is_guest) == (step, provider, True)
    assert subject in evidence.subject
    text = evidence.text()
    assert provider in text
    assert "Apache-2.0" in text
    assert "as if all of the host were loaded like this guest" in text
    assert "package power" in text.lower() or "at the wall" in text
    assert 0 < evidence.watts[0] < evidence.watts[-1]
    assert evidence.gain[0] < 1 < evidence.gain[1]


def test_an_instance_has_its_virtual_cpus_of_a_host(tree: Tree) -> None:
    evidence = best_evidence(describe(*tree({"sys_vendor": "Amazon EC2"}, CASCADE_LAKE, 2)))
    assert evidence is not None
    watts = [2 * w for w in hosts().watts]
    assert [evidence.power_w(load) for load in (0.0, 0.1, 0.5, 1.0)] == pytest.approx(watts)
    assert evidence.power_w(0.3) == pytest.approx((watts[1] + watts[2]) / 2)
    assert evidence.power_w(1.2) == watts[-1]
    assert evidence.ram_w == pytest.approx(8 * RAM_W_PER_GB)


def test_a_whole_server_has_all_its_threads(tree: Tree) -> None:
    """One EPYC 9754 has 256 threads; without SMT they are 128, of the same cores. Less memory than usual draws less."""
    processor = x86("AMD EPYC 9754 128-Core Processor", "AuthenticAMD", 25, 160, guest=False)
    power = servers()["EPYC 9004"]
    host = replace(describe(*tree({"sys_vendor": "Dell Inc."}, processor, 256)), memory_gb=256 * power.memory_gb)
    evidence = best_evidence(host)
    assert evidence is not None
    assert (host.is_guest, evidence.ram_w, evidence.gain) == (False, 0.0, ranges()["architecture"])
    idle_w, half_w, full_w = evidence.watts
    assert (idle_w, full_w) == pytest.approx((256 * power.idle_w, 256 * power.full_w))
    assert (half_w - idle_w) / (full_w - idle_w) == pytest.approx(load_shape()[1][1])
    for change, watts in (
        ({"threads": 128, "threads_per_core": 1}, idle_w),
        ({"memory_gb": host.memory_gb - 100}, idle_w - 100 * RAM_W_PER_GB),
        ({"memory_gb": 0.0}, max(idle_w / 2, idle_w - host.memory_gb * RAM_W_PER_GB)),
    ):
        changed = best_evidence(replace(host, **change))
        assert changed is not None
        assert changed.watts[0] == pytest.approx(watts)


def test_what_a_virtual_cpu_is_widens_the_range_where_it_is_not_known(tree: Tree) -> None:
    host = describe(*tree({}, TURIN, 2))
    hidden, shown = best_evidence(host), best_evidence(replace(host, threads_per_core=2))
    assert hidden is not None
    assert shown is not None
    low, high = ranges()["architecture"]
    assert shown.gain == (low, high)
    assert hidden.gain == (low, 2 * high)
    assert hidden.watts == shown.watts


@pytest.mark.parametrize(
    "processor",
    [
        x86("Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz", "GenuineIntel", 6, 142, guest=False),
        x86("AMD Ryzen Threadripper 1950X 16-Core Processor", "AuthenticAMD", 23, 1, guest=False),
        "CPU implementer\t: 0x61\nCPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: 0x022",
        "",
    ],
)
def test_without_evidence_codecarbons_model_is_left(tree: Tree, processor: str) -> None:
    dmi_root, proc_root = tree({}, processor, 2)
    assert best_evidence(describe(dmi_root, proc_root)) is None


@pytest.mark.slow
def test_the_sensor_says_what_it_rests_on(tree: Tree, tmp_path: Path) -> None:
    dmi_root, proc_root = tree(AZURE, MILAN, 4, memory_gb=64.0)
    result = find(SensorOptions(dmi_root=dmi_root, proc_root=proc_root))
    assert result.sensor is not None
    (finding,) = result.findings
    assert "servers with EPYC 7003" in (finding.reason or "")
    assert "Second opinion, by codecarbon" in (finding.reason or "")
    unknown = find(SensorOptions(dmi_root=str(tmp_path / "none"), proc_root=str(tmp_path / "none")))
    assert [finding.name for finding in unknown.findings] == ["power_model", "codecarbon"]
    assert unknown.sensor is not None
    assert unknown.sensor.name == "codecarbon"


def test_a_second_opinion_is_beside_and_not_charged(tree: Tree) -> None:
    evidence = best_evidence(describe(*tree(AZURE, MILAN, 4, memory_gb=64.0)))
    assert evidence is not None
    sensor = PowerModel(evidence, lambda: 0.5, Model(lambda: 30.0, 20.0, "EPYC 7763", 280.0, known=True))
    assert sensor.read()[::2] == (None, None)  # the load of so short a time is not known
    time.sleep(SHORTEST_S)
    values = sensor.read()
    assert values == (evidence.power_w(0.5), evidence.ram_w, 30.0, 20.0)
    channels = [
        channel.model_copy(update={"values": (value,) * 11})
        for channel, value in zip(sensor.channels, values, strict=True)
    ]
    trace = Trace(sensor=sensor.name, t_s=tuple(float(t) for t in range(11)), channels=tuple(channels))
    readings = {reading.component: reading for reading in compute_readings([trace], (2.0, 8.0), "cpu")}
    assert {name for name, reading in readings.items() if reading.attributed} == {"cpu", "ram"}
    assert set(readings) == {"cpu", "ram", *SECOND_OPINION}
    cpu = readings["cpu"]
    assert cpu.energy_j == pytest.approx(6 * evidence.power_w(0.5))
    assert (cpu.low_j, cpu.high_j) == pytest.approx([cpu.energy_j * factor for factor in evidence.gain])
    assert "EPYC 7003" in cpu.evidence
    assert {reading.kind for reading in readings.values()} == {"model"}


def test_the_load_is_a_share() -> None:
    load = BusyShare()
    end_s = time.monotonic() + 0.3
    while time.monotonic() < end_s:
        pass
    assert 0 < load() <= 1


def test_numbers_give_each_architecture_of_the_data() -> None:
    families = [
        *(("GenuineIntel", 6, model, stepping) for model in range(256) for stepping in (4, 7, 11)),
        *(("AuthenticAMD", family, model, 0) for family in (0x17, 0x19, 0x1A) for model in range(256)),
        ("0x41", 8, 0xD0C, 3),
    ]
    given = {architecture_of(name, numbers) for numbers in families for name in ("Xeon", "AMD EPYC 8324P")}
    assert set(servers()) | set(hosts().architectures) <= given
    for power in servers().values():
        assert power.machines >= 5
        assert 0 < power.idle_w < power.full_w
    assert all(low < 1 < high for low, high in ranges().values())


@pytest.mark.parametrize("fault", [ImportError, RuntimeError, AttributeError])
def test_a_broken_codecarbon_costs_the_second_opinion_alone(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    dmi_root, proc_root = tree(AZURE, MILAN, 4, memory_gb=64.0)
    (tmp_path / "codecarbon.py").write_text(f"raise {fault.__name__}('broken')")
    for name in [name for name in sys.modules if name.partition(".")[0] == "codecarbon"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    result = find(SensorOptions(dmi_root=dmi_root, proc_root=proc_root))
    assert result.sensor is not None
    assert "No second opinion by codecarbon: " in (result.findings[0].reason or "")

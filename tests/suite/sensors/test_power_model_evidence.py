"""What an estimate of power rests on, on machines of many kinds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from estimated_hosts import AZURE, MILAN, build, x86

from joulemark.suite.sensors.power_model.aggregates import RAM_W_PER_GB, data, hosts, load_shape, ranges, servers
from joulemark.suite.sensors.power_model.architectures import architecture_of
from joulemark.suite.sensors.power_model.codecarbon import Model
from joulemark.suite.sensors.power_model.evidence import best_evidence, rated_evidence
from joulemark.suite.sensors.power_model.host import describe
from joulemark.suite.sensors.power_model.sensor import by_rated_power

GOOGLE = {"sys_vendor": "Google", "product_name": "Google Compute Engine"}
CASCADE_LAKE = x86("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", "GenuineIntel", 6, 85, 7)
SIENA = x86("AMD EPYC 8324P 32-Core Processor", "AuthenticAMD", 25, 160)
MILAN_ON_EC2 = x86("AMD EPYC 7R13 Processor", "AuthenticAMD", 25, 1)
ICE_LAKE = x86("Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz", "GenuineIntel", 6, 106, 6)
TURIN = x86("AMD EPYC", "AuthenticAMD", 26, 2, 1, siblings=1)
BROADWELL = x86("Intel(R) Xeon(R) CPU @ 2.20GHz", "GenuineIntel", 6, 79)
NEOVERSE = "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c"


@pytest.mark.parametrize(
    ("dmi", "processor", "step", "subject", "provider"),
    [
        ({"sys_vendor": "Amazon EC2", "product_name": "m5.large"}, CASCADE_LAKE, "instance", "m5.large", "Amazon EC2"),
        ({"board_asset_tag": "i-0123456789abcdef0"}, CASCADE_LAKE, "instance", "this EC2 instance", "Amazon EC2"),
        (AZURE, MILAN, "model", "EPYC 7763", "Microsoft Azure"),
        (AZURE, ICE_LAKE, "model", "Xeon Platinum 8370C", "Microsoft Azure"),
        (GOOGLE, BROADWELL, "architecture", "Broadwell-EP", "Google Compute Engine"),
        ({}, TURIN, "architecture", "EPYC 9005", ""),
        ({}, SIENA, "model", "EPYC 8004", ""),
        (
            {"sys_vendor": "Amazon EC2", "product_name": "m6a.large"},
            MILAN_ON_EC2,
            "architecture",
            "EPYC 7003",
            "Amazon EC2",
        ),
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
    tmp_path: Path, dmi: dict[str, str], processor: str, step: str, subject: str, provider: str
) -> None:
    host = describe(*build(tmp_path, dmi, processor, 2))
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


def test_an_instance_has_its_virtual_cpus_of_a_host(tmp_path: Path) -> None:
    evidence = best_evidence(describe(*build(tmp_path, {"sys_vendor": "Amazon EC2"}, CASCADE_LAKE, 2)))
    assert evidence is not None
    watts = [2 * w for w in hosts().watts]
    assert [evidence.power_w(load) for load in (0.0, 0.1, 0.5, 1.0)] == pytest.approx(watts)
    assert evidence.power_w(0.3) == pytest.approx((watts[1] + watts[2]) / 2)
    assert evidence.power_w(1.2) == watts[-1]
    assert evidence.ram_w == pytest.approx(8 * RAM_W_PER_GB)


def test_a_whole_server_has_all_its_threads(tmp_path: Path) -> None:
    """128 cores have 256 threads; without SMT they are 128, of the same cores. Less memory than usual draws less."""
    processor = x86("AMD EPYC 9J45 128-Core Processor", "AuthenticAMD", 25, 160, guest=False)
    power = servers()["EPYC 9004"]
    host = replace(
        describe(*build(tmp_path, {"sys_vendor": "Dell Inc."}, processor, 256)), memory_gb=256 * power.memory_gb
    )
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


@pytest.mark.parametrize(
    ("processor", "architecture", "rated_w"),
    [
        (MILAN, "EPYC 7003", 280 / 128),  # AMD: 64 cores, 128 threads, 280 W
        (ICE_LAKE, "Ice Lake-SP", 270 / 64),  # Azure: 64 virtual CPUs of 32 cores, 270 W
        (x86("AMD EPYC 7742 64-Core Processor", "AuthenticAMD", 23, 49), "EPYC 7002", 225 / 128),
    ],
)
def test_a_guest_has_its_share_of_the_rated_power(
    tmp_path: Path, processor: str, architecture: str, rated_w: float
) -> None:
    host = describe(*build(tmp_path, {}, processor, 4))
    power = servers("rated_w")[architecture]
    evidence = best_evidence(replace(host, memory_gb=power.memory_gb * 4 * rated_w))
    assert evidence is not None
    assert (evidence.step, evidence.gain, evidence.ram_w) == ("model", ranges()["model"], pytest.approx(0.0))
    watts = [4 * rated_w * w for w in (power.idle_w, power.full_w)]
    assert [evidence.watts[0], evidence.watts[-1]] == pytest.approx(watts)
    cores = best_evidence(replace(host, threads_per_core=1))
    assert cores is not None
    assert cores.gain == (ranges()["model"][0], 2 * ranges()["model"][1])


def test_a_whole_server_has_the_rated_power_of_all_its_processors(tmp_path: Path) -> None:
    """Whatever the number of its threads: SMT may be off."""
    processor = x86("Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz", "GenuineIntel", 6, 85, 7, siblings=1, guest=False)
    evidence = best_evidence(describe(*build(tmp_path, {}, processor, 2, memory_gb=384.0, sockets=2)))
    assert evidence is not None
    assert (evidence.step, evidence.gain) == ("model", ranges()["model"])
    assert evidence.watts[-1] == pytest.approx(2 * 150 * servers("rated_w")["Cascade Lake"].full_w)
    assert "300" in evidence.covers


def test_teads_curve_of_a_processor_that_codecarbon_knows(tmp_path: Path) -> None:
    """The published shares of rated power, for 15 W; a guest's are unknown, and so is a rated power that is assumed."""
    host = describe(
        *build(tmp_path, {}, x86("Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz", "GenuineIntel", 6, 142, guest=False), 8)
    )
    known = Model(lambda: 5.0, 3.0, "Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz", 15.0, known=True)
    evidence = by_rated_power(host, known)
    assert evidence == rated_evidence(host, known.cpu, 15.0)
    assert evidence is not None
    assert [evidence.power_w(load) for load in (0.0, 0.1, 0.3, 0.5, 1.0)] == pytest.approx(
        [1.8, 4.8, 8.025, 11.25, 15.3]
    )
    assert (evidence.step, evidence.gain, evidence.ram_w) == ("rated", ranges()["rated"], pytest.approx(0.8))
    assert "i7-8550U" in evidence.subject
    for other, model in ((replace(host, is_guest=True), known), (host, replace(known, known=False)), (host, None)):
        assert by_rated_power(other, model) is None


def test_the_chain_is_in_the_order_of_interval_scores() -> None:
    scores = {step: row["interval_score"] for step, row in data("ranges.json")["steps"].items()}
    assert list(scores) == ["model", "instance", "architecture", "rated", "codecarbon"]
    assert list(scores.values()) == sorted(scores.values())


def test_what_a_virtual_cpu_is_widens_the_range_where_it_is_not_known(tmp_path: Path) -> None:
    host = describe(*build(tmp_path, {}, TURIN, 2))
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
def test_without_evidence_codecarbons_model_is_left(tmp_path: Path, processor: str) -> None:
    dmi_root, proc_root = build(tmp_path, {}, processor, 2)
    assert best_evidence(describe(dmi_root, proc_root)) is None


def test_numbers_give_each_architecture_of_the_data() -> None:
    families = [
        *(("GenuineIntel", 6, model, stepping) for model in range(256) for stepping in (4, 7, 11)),
        *(("AuthenticAMD", family, model, 0) for family in (0x17, 0x19, 0x1A) for model in range(256)),
        ("0x41", 8, 0xD0C, 3),
    ]
    given = {architecture_of(name, numbers) for numbers in families for name in ("Xeon", "AMD EPYC 8324P")}
    assert set(servers()) | set(hosts().architectures) <= given
    for power in (*servers().values(), *servers("rated_w").values()):
        assert power.machines >= 5
        assert 0 < power.idle_w < power.full_w
    assert all(low < 1 < high for low, high in ranges().values())

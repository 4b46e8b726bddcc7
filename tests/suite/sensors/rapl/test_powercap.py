"""The sensor `rapl` on trees shaped like Linux's, driven by another process."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from busy_machine import undisturbed, wait_for_reads, wait_until
from places import DOCS
from powercap import Driver, FakeZone, build, device

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.base import SensorOptions
from joulemark.suite.sensors.rapl import powercap
from joulemark.suite.sensors.sampler import Sampler

TRAPS = (
    FakeZone("intel-rapl:0", "package-0", power_w=90.0, start_uj=5_000_000, range_uj=60_000_000),
    FakeZone("intel-rapl:0:0", "core", power_w=60.0),
    FakeZone("intel-rapl:0:1", "dram", power_w=11.0, start_uj=2_000_000),
    FakeZone("intel-rapl:1", "package-1-die-0", power_w=70.0, start_uj=900_000_000),
    FakeZone("intel-rapl:2", "package-1-die-1", start_uj=900_000_000, mirror_of="intel-rapl:1"),
    FakeZone("intel-rapl:3", "psys", power_w=300.0),
    FakeZone("intel-rapl-mmio:0", "package-0", power_w=40.0, start_uj=77_000_000),
)


def _options(top: Path, psys: bool = False) -> SensorOptions:
    return SensorOptions(powercap_root=str(top), argument="psys" if psys else "")


def _components(top: Path, psys: bool = False) -> list[tuple[str, str]]:
    sensor = powercap.find(_options(top, psys)).sensor
    assert sensor is not None
    try:
        return [(channel.component, channel.scope) for channel in sensor.channels]
    finally:
        sensor.close()


@pytest.mark.slow
def test_every_trap_in_one_tree_gives_the_exact_package_sum(tmp_path: Path) -> None:
    """Psys, an MMIO twin, a mirrored die, two sockets and three wraps, read by the sampler's own process."""
    top = build(tmp_path, TRAPS)
    origin_s = time.monotonic()
    with Driver(tmp_path, TRAPS, run_s=2.2) as driver:
        with Sampler.start(tmp_path / "trace", origin_s, sensors=["rapl"], powercap_root=str(top)) as sampler:
            assert sampler.sensors == ("rapl",)
            begin_s = time.monotonic() - origin_s
            wait_for_reads(tmp_path / "trace", 2, begin_s)
            driver.run()
            ended_s = time.monotonic() - origin_s
            wait_for_reads(tmp_path / "trace", 2, ended_s)
            window_s = (begin_s, time.monotonic() - origin_s)
            wait_for_reads(tmp_path / "trace", 1, window_s[1])
        expected_j = {
            ("package", "package-0"): driver.energy_j("intel-rapl:0"),
            ("package", "package-1-die-0"): driver.energy_j("intel-rapl:1"),
            ("dram", "package-0"): driver.energy_j("intel-rapl:0:1"),
        }
    assert driver.energy_j("intel-rapl:0") > 3 * 60
    (trace,) = trace_file.load(tmp_path / "trace")
    energies = {(e.component, e.scope): e for e in compute_readings([trace], window_s, "cpu") if e.attributed}
    assert {component: e.energy_j for component, e in energies.items()} == {
        component: pytest.approx(energy_j, abs=1e-5) for component, energy_j in expected_j.items()
    }
    assert {e.kind for e in energies.values()} == {"counter"}
    assert all(e.low_j <= e.energy_j <= e.high_j for e in energies.values())  # type: ignore[operator]


@pytest.mark.slow
def test_power_over_a_window_inside_a_steady_load(tmp_path: Path) -> None:
    zones = (FakeZone("intel-rapl:0", "package-0", power_w=80.0), FakeZone("intel-rapl:0:0", "dram", power_w=8.0))

    def check(folder: Path) -> None:
        top = build(folder, zones)
        origin_s = time.monotonic()
        with (
            Driver(folder, zones, run_s=2.0) as driver,
            Sampler.start(folder / "trace", origin_s, sensors=["rapl"], powercap_root=str(top)),
        ):
            begin_s = time.monotonic() - origin_s
            driver.run()
        window_s = (begin_s + 0.55, begin_s + 1.55)
        package, dram = compute_readings(trace_file.load(folder / "trace"), window_s, "cpu")
        assert package.energy_j == pytest.approx(80.0, rel=0.05)
        assert dram.energy_j == pytest.approx(8.0, rel=0.05)
        assert package.samples >= 5

    undisturbed(check, tmp_path)


def test_psys_is_read_on_request_only(tmp_path: Path) -> None:
    top = build(tmp_path, TRAPS)
    assert ("psys", "host") not in _components(top)
    assert ("psys", "host") in _components(top, psys=True)


def test_the_tree_that_a_container_gets_has_the_same_counters(tmp_path: Path) -> None:
    """Zones nested in each other, as they are where the links of /sys/class/powercap lead (docs/docker.md)."""
    top = build(tmp_path, TRAPS)
    mounted = re.search(r"-v /sys/(\S+):(\S+):ro -e JOULEMARK_POWERCAP_ROOT=(\S+)", powercap.MOUNTS)
    assert mounted is not None
    assert mounted[2] == mounted[3]
    assert _components(tmp_path / mounted[1]) == _components(top)
    assert powercap.MOUNTS.removesuffix(" ...") in " ".join((DOCS / "docker.md").read_text(encoding="utf-8").split())


def test_amd_has_packages_only(tmp_path: Path) -> None:
    top = build(tmp_path, (FakeZone("intel-rapl:0", "package-0"), FakeZone("intel-rapl:0:0", "core")))
    assert _components(top) == [("package", "package-0")]


def test_zone_numbers_need_not_be_socket_numbers(tmp_path: Path) -> None:
    """As with the TPMI driver, which registers platform and sockets in an order of its own."""
    zones = (
        FakeZone("intel-rapl:0", "psys"),
        FakeZone("intel-rapl:1", "package-1"),
        FakeZone("intel-rapl:2", "package-0", start_uj=9_000_000_000),
        FakeZone("intel-rapl:2:0", "dram"),
    )
    assert _components(build(tmp_path, zones)) == [
        ("package", "package-0"),
        ("package", "package-1"),
        ("dram", "package-0"),
    ]


def test_dies_with_distant_counters_are_both_counted(tmp_path: Path) -> None:
    zones = (
        FakeZone("intel-rapl:0", "package-0-die-0", start_uj=5_000_000_000),
        FakeZone("intel-rapl:1", "package-0-die-1", start_uj=5_007_000_000),
    )
    assert _components(build(tmp_path, zones)) == [("package", "package-0-die-0"), ("package", "package-0-die-1")]


def test_dies_with_close_counters_of_different_power_are_both_counted(tmp_path: Path) -> None:
    """Soon after boot, when they differ by less than a joule."""
    zones = (FakeZone("intel-rapl:0", "package-0-die-0"), FakeZone("intel-rapl:1", "package-0-die-1", power_w=53.0))
    top = build(tmp_path, zones)
    counter = device(tmp_path, "intel-rapl:1") / "energy_uj"
    before = counter.read_text()
    with Driver(tmp_path, zones, run_s=600.0) as driver:
        driver.begin()
        wait_until(lambda: counter.read_text() != before)
        assert [scope for _, scope in _components(top)] == ["package-0-die-0", "package-0-die-1"]


def test_mmio_is_used_without_an_msr_zone(tmp_path: Path) -> None:
    assert _components(build(tmp_path, (FakeZone("intel-rapl-mmio:0", "package-0"),))) == [("package", "package-0")]


def test_unreadable_range_means_no_wrap(tmp_path: Path) -> None:
    top = build(tmp_path, (FakeZone("intel-rapl:0", "package-0", range_uj=None),))
    sensor = powercap.find(_options(top)).sensor
    assert sensor is not None
    assert sensor.wrap_j == (None,)
    sensor.close()


@pytest.mark.parametrize(
    ("limits_uw", "expected_w"),
    [((125_000_000, 253_000_000), 253.0), ((125_000_000, 4_095_875_000), None), ((0, 0), None), ((), None)],
)
def test_highest_limit_of_a_package(tmp_path: Path, limits_uw: tuple[int, ...], expected_w: float | None) -> None:
    """PL1 and PL2; the largest that the register holds is none. Limits of memory do not count."""
    top = build(tmp_path, (FakeZone("intel-rapl:0", "package-0"), FakeZone("intel-rapl:0:0", "dram")))
    for number in ("intel-rapl:0", "intel-rapl:0:0"):
        for n, limit_uw in enumerate(limits_uw):
            (device(tmp_path, number) / f"constraint_{n}_power_limit_uw").write_text(f"{limit_uw}\n")
    sensor = powercap.find(_options(top)).sensor
    assert sensor is not None
    assert [channel.highest_limit_w for channel in sensor.channels] == [expected_w, None]
    sensor.close()


def test_counter_that_does_not_move_at_the_start_has_no_update_period(tmp_path: Path) -> None:
    top = build(tmp_path, (FakeZone("intel-rapl:0", "package-0"),))
    result = powercap.find(_options(top))
    assert result.sensor is not None
    assert (result.sensor.channels[0].tick_s, result.findings[0].tick_s) == (None, None)
    result.sensor.close()

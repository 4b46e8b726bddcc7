"""The real Prometheus scrapes `joulemark watch`: its totals are the joules of a tree whose power is known.

Before and after, the counters of that tree stand still: what they count in between is known to the microjoule. One of
them wraps meanwhile. `joulemark measure` measures the same time.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nvml_library
import powercap
import prometheus_server
import pytest
from command import COMMAND, environment, start
from nvml_library import FakeGpu
from places import DOCS
from powercap import FakeZone
from prometheus_server import Prometheus, wait_until

from joulemark.suite.units import JOULES_PER_KWH

pytestmark = pytest.mark.slow

RUN_S = 2.0
RANGE_UJ = 262_143_328_850
ZONES = (
    FakeZone("intel-rapl:0", "package-0", power_w=65.0, start_uj=RANGE_UJ - 50_000_000),
    FakeZone("intel-rapl:0:0", "dram", power_w=5.5),
)
ENERGY_J = {"package": 65.0 * RUN_S, "dram": 5.5 * RUN_S}
G_PER_KWH, PUE = 400.0, 1.5
CARBON = ("--offline", "--intensity", str(G_PER_KWH), "--pue", str(PUE))
GPUS = (FakeGpu("GPU-11", 250.0), FakeGpu("GPU-22", 90.0, "no_energy", bus="00000000:02:00.0"))


@dataclass(frozen=True)
class Watched:
    """What has been found at the end."""

    prometheus: Prometheus
    text: str
    """The metrics as text."""
    measured: dict[str, Any]
    """The document of `measure`."""
    final: dict[str, Any]
    """The document of `watch`."""
    exit_code: int


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    home = tmp_path_factory.mktemp("watch")
    root = powercap.build(home / "tree", ZONES)
    gpus = nvml_library.environment(nvml_library.build(home), GPUS)
    variables = {name: gpus[name] for name in ("LD_LIBRARY_PATH", "NVML_GPUS")} | {"JOULEMARK_POWERCAP_ROOT": str(root)}
    watch = start(home, "watch", "--serve", "0", "--json", "--pid", f"test={os.getpid()}", *CARBON, **variables)
    try:
        target = address(watch)
        with prometheus_server.scraping(home, target) as prometheus:
            measured = measure(home, variables)
            package = 'joulemark_energy_joules_total{component="package"}'
            wait_until(lambda: prometheus.total(package) >= ENERGY_J["package"] - 1e-6, "the joules were never scraped")
            wait_until(
                lambda: bool(prometheus.query("joulemark_group_energy_joules_total > 0")), "no group was scraped"
            )
            with urllib.request.urlopen(f"http://{target}/metrics") as answer:
                text = answer.read().decode()
            watch.terminate()
            output, _ = watch.communicate(timeout=60)
            yield Watched(prometheus, text, measured, json.loads(output), watch.returncode)
    finally:
        watch.kill()
        watch.communicate()


def address(watch: subprocess.Popen[str]) -> str:
    """Return HOST:PORT from the line that says where the metrics are."""
    for line in watch.stderr:
        if (match := re.match(r"Metrics: http://(127\.0\.0\.1:\d+)/metrics", line)) is not None:
            return match[1]
    raise AssertionError("no address was printed")


def measure(home: Path, variables: dict[str, str]) -> dict[str, Any]:
    """Let the counters run during a measured command, and return its document."""
    jobs = [asdict(zone) | {"path": str(powercap.device(home / "tree", zone.number) / "energy_uj")} for zone in ZONES]
    drive = [sys.executable, powercap.__file__, json.dumps(jobs), str(RUN_S)]
    program = ["sh", "-c", 'sleep 1; "$@"; sleep 1', "sh", *drive]
    done = subprocess.run(
        [*COMMAND, "measure", "--json", "--no-report", "--device", "cpu", *CARBON, "--", *program],
        input="go\n",
        env=environment(home / "measure", **variables),
        cwd=home,
        text=True,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (measurement,) = json.loads(done.stdout)["measurements"]
    return measurement


def by_component(values: list[tuple[dict[str, str], float]]) -> dict[str, float]:
    return {labels["component"]: value for labels, value in values if labels.get("sensor") == "rapl"}


def test_totals_in_prometheus_are_the_joules_of_the_tree_and_those_that_measure_found(watched):
    scraped = by_component(watched.prometheus.query("last_over_time(joulemark_energy_joules_total[1h])"))
    assert scraped == pytest.approx(ENERGY_J, abs=2e-6)
    readings = {r["component"]: r["energy_j"] for r in watched.measured["readings"] if r["attributed"]}
    assert readings == pytest.approx(scraped, abs=2e-6)
    final = {c["component"]: c["energy_j"] for c in watched.final["components"] if c["sensor"] == "rapl"}
    assert final == pytest.approx(scraped, abs=2e-6)


def test_grams_are_those_joules_times_pue_and_intensity(watched):
    grams = by_component(watched.prometheus.query("last_over_time(joulemark_emissions_grams_total[1h])"))
    expected = {name: energy_j * PUE * G_PER_KWH / JOULES_PER_KWH for name, energy_j in ENERGY_J.items()}
    assert grams == pytest.approx(expected, rel=1e-6)
    assert watched.measured["emissions"]["value"] == pytest.approx(sum(grams.values()), rel=1e-6)


def test_no_counter_ever_fell(watched):
    for name, series in (("energy_joules", 4), ("emissions_grams", 4), ("group_energy_joules", 1)):
        falls = watched.prometheus.query(f"resets(joulemark_{name}_total[1h])")
        assert [value for _, value in falls] == [0.0] * series, name


def test_gpus_have_their_index_and_uuid(watched):
    energy = watched.prometheus.query('last_over_time(joulemark_energy_joules_total{component="gpu"}[1h])')
    assert {(labels["gpu"], labels["uuid"], labels["source"]) for labels, _ in energy} == {
        ("0", "GPU-11", "measured"),
        ("1", "GPU-22", "measured"),
    }
    # One by its counter, one by its power, which a busy machine may not have read at times.
    seconds = watched.final["duration_s"]
    gpus = [each for each in watched.final["components"] if each["component"] == "gpu"]
    powers = {each["gpu"]: each["energy_j"] / (seconds - each["unmeasured_s"]) for each in gpus}
    assert powers == pytest.approx({0: 250.0, 1: 90.0}, rel=0.1)
    temperatures = watched.prometheus.query("last_over_time(joulemark_temperature_celsius[1h])")
    assert {(labels["gpu"], value) for labels, value in temperatures} == {("0", 61.0), ("1", 61.0)}


def test_the_group_is_a_part_of_the_processor(watched):
    ((labels, energy_j),) = watched.prometheus.query("last_over_time(joulemark_group_energy_joules_total[1h])")
    assert (labels["group"], labels["source"]) == ("test", "estimated")
    assert 0 < energy_j < ENERGY_J["package"]


def test_sigterm_ends_it_with_the_totals(watched):
    assert watched.exit_code == 130
    assert watched.final["schema_version"] == 1
    assert not watched.final["estimated"]
    assert watched.final["missing"] == []


def test_promtool_finds_nothing_to_improve(watched):
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: apt install prometheus")
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=watched.text, text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_query_of_the_dashboard_is_answered(watched):
    dashboard = json.loads((DOCS / "grafana-watch.json").read_text())
    variables = {"$__rate_interval": "1h", "$__range": "1h", "$instance": ".*"}
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            expression = target["expr"]
            for name, value in variables.items():
                expression = expression.replace(name, value)
            if "(" not in expression:  # the target has gone meanwhile
                expression = f"last_over_time({expression}[1h])"
            found = watched.prometheus.query(expression)
            assert bool(found) == ("listed" not in expression), panel["title"]

"""The study of the power model: its statistics, and that what is kept follows from the published files."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from places import DOCS
from scipy import stats

from joulemark.suite.sensors.power_model.rated_power import FILE, short_name
from studies.left_out import Machine, evaluate, interval_score, lower_bound, range_of
from studies.power_model import DATA, ROOT, aggregates, read, study, tables
from studies.power_model_data import Server, architecture_of_name, read_coefficients
from studies.power_model_machines import half_load, rated_w, unit_power
from studies.power_model_rated import AZURE, CODECARBON, rated_power

SOURCES = "JOULEMARK_POWER_MODEL_SOURCES"
"""The five files of `python -m studies.power_model` and both of `studies.power_model_rated`, with colons in between."""


def kept(name: str) -> dict[str, Any]:
    return dict(json.loads((DATA / name).read_text(encoding="utf-8")))


@pytest.mark.slow
def test_what_is_kept_follows_from_the_published_files() -> None:
    paths = os.environ.get(SOURCES, "").split(os.pathsep)
    if len(paths) != 7 or not all(Path(path).exists() for path in paths):
        pytest.skip(f"{SOURCES} does not name the published files (docs/power.md says where they are)")
    assert kept(FILE) == rated_power(*map(Path, paths[5:]))
    sources = read(paths[:5])
    assert kept("aggregates.json") == json.loads(json.dumps(aggregates(sources)))
    assert kept("ranges.json") == study(sources)


def test_the_page_has_the_tables() -> None:
    document = kept("ranges.json")
    page = (DOCS / "power.md").read_text(encoding="utf-8")
    assert all(table in page for table in tables(document).split("\n\n"))
    for row in document["all_loads"].values():
        assert f"{row['covered']} of {row['machines']}" in page
        assert f"at least {row['coverage_low']:.1%}" in page
    for row in document["same_machines"]:
        scores = row["scores"]
        assert f"{row['machines']} | {scores['model']:.2f} | {scores['architecture']:.2f}" in page
        assert row["tried"] not in scores or f"{scores[row['tried']]:.2f} |" in page


def test_the_only_published_table_that_is_kept_is_credited() -> None:
    assert sorted(path.name for path in DATA.iterdir()) == ["aggregates.json", "ranges.json", FILE]
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for text in (f"data/{FILE}", "codecarbon 3.3.2", "@grnsft/if-plugins 0.3.2", "Permission is hereby granted"):
        assert text in notice


def rows(columns: str, *lines: tuple[str, ...]) -> str:
    """Return a table in CSV."""
    file = io.StringIO()
    csv.writer(file).writerows([columns.split(","), *lines])
    return file.getvalue()


def tarball(path: Path, name: str, text: str) -> Path:
    """Write a package of npm that has one file."""
    with tarfile.open(path, "w:gz") as package:
        member = tarfile.TarInfo(name)
        member.size = len(text.encode())
        package.addfile(member, io.BytesIO(text.encode()))
    return path


def test_rated_power_is_read_from_the_packages(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "codecarbon.whl", "w") as wheel:
        text = rows(
            "Name,TDP", ("Intel Xeon Platinum 8370C", "205"), ("AMD EPYC 7763", "280.0"), ("Core i7-8550U", "15")
        )
        wheel.writestr(CODECARBON, text)
    text = rows(
        "cpu-model-name,cpu-cores-available,cpu-tdp",
        ("Intel® Xeon® Platinum 8370C", "64.00", "270.00"),
        ("Intel® Xeon® Platinum 8370C,Intel® Xeon® Platinum 8272CL", "52.00", "205.00"),
        ("Ampere® Altra®", "128.00", "180.00"),
    )
    table = rated_power(tmp_path / "codecarbon.whl", tarball(tmp_path / "azure.tgz", AZURE, text))
    assert table["rated_w"] == {"EPYC 7763": 280.0, "Xeon Platinum 8370C": 270.0}
    assert table["threads"] == {"Xeon Platinum 8370C": 64}


def test_coefficients_are_read_from_the_package(tmp_path: Path) -> None:
    names = {
        "CASCADE_LAKE": 1, "SKYLAKE": 2, "BROADWELL": 3, "HASWELL": 4, "COFFEE_LAKE": 5, "SANDY_BRIDGE": 6,
        "IVY_BRIDGE": 7, "AMD_EPYC_1ST_GEN": 8, "AMD_EPYC_2ND_GEN": 9, "AMD_EPYC_3RD_GEN": 10,
    }  # fmt: skip
    text = "\n".join(
        f"{side}_WATTS_BY_COMPUTE_PROCESSOR: {{\n"
        + "".join(f"    [COMPUTE_PROCESSOR_TYPES.{name}]: {watts * factor},\n" for name, watts in names.items())
        + "},"
        for side, factor in (("MIN", 0.1), ("MAX", 2))
    )
    name = "package/src/domain/AzureFootprintEstimationConstants.ts"
    coefficients = read_coefficients(tarball(tmp_path / "ccf.tgz", name, text))
    assert (coefficients["Cascade Lake"], coefficients["EPYC 7003"]) == ((0.1, 2.0), (1.0, 20.0))
    assert len(coefficients) == 9


def test_rated_power_is_of_all_processors() -> None:
    """AMD EPYC 7763: 280 W. A server with one that is not in the table is left out."""
    size = {"vendor": "", "system": "", "architecture": "", "cores": 128, "threads": 256, "memory_gb": 448.0}
    known, unknown = (
        Server(cpu=cpu, chips=2, idle_w=112.0, full_w=560.0, **size) for cpu in ("EPYC 7763", "EPYC 7000")
    )
    assert (rated_w(known), rated_w(unknown)) == (560.0, None)
    power = unit_power([known, unknown], rated_w)
    assert (power.machines, power.idle_w, power.full_w, power.memory_gb) == (1, 0.2, 1.0, 0.8)


def test_power_is_the_median_over_processors_of_their_machines() -> None:
    size = {"vendor": "", "system": "", "architecture": "", "chips": 1, "cores": 2, "threads": 4}
    servers = [
        Server(cpu=cpu, memory_gb=memory_gb, idle_w=4 * watts, full_w=12 * watts, **size)
        for cpu, memory_gb, watts in (("a", 4.0, 1.0), ("a", None, 2.0), ("a", 8.0, 9.0), ("b", 16.0, 4.0))
    ]
    power = unit_power(servers)
    assert (power.machines, power.idle_w, power.full_w, power.memory_gb, power.threads_per_core) == (4, 3, 9, 2.75, 2)
    assert half_load([tuple(float(w) for w in range(100, 201, 10)), (100.0,) * 11]) == 0.5


def test_coverage_is_of_machines_that_were_left_out() -> None:
    usual = [Machine(f"{i}", "", (1.0 - i / 1000, 1.0 + i / 1000)) for i in range(20)]
    strange = Machine("strange", "", (9.0, 10.0))
    assert range_of([*usual, strange]) == (0.981, 10.0)
    assert evaluate([*usual, strange])["covered"] == evaluate(usual)["covered"]
    many = [Machine(f"{i}", "", (1 / i, float(i))) for i in range(1, 100)]
    assert range_of(many) == (1 / 95, 95.0)


@pytest.mark.parametrize(("covered", "machines"), [(414, 460), (4, 6), (3, 5), (5, 5), (0, 5)])
def test_the_bound_is_exact(covered: int, machines: int) -> None:
    """At the bound, as many covered machines or more come in one case of twenty: the binomial sum is that."""
    p = lower_bound(covered, machines)
    tail = math.fsum(math.comb(machines, k) * p**k * (1 - p) ** (machines - k) for k in range(covered, machines + 1))
    assert tail == pytest.approx(0.05 if covered else 1.0)
    interval = stats.binomtest(covered, machines, alternative="greater").proportion_ci(0.95, method="exact")
    assert p == pytest.approx(interval.low)


def test_the_interval_score_by_hand() -> None:
    width = math.log(1.5 / 0.5)
    assert interval_score(0.5, 1.5, 1.0) == pytest.approx(width)
    assert interval_score(0.5, 1.5, 3.0) == pytest.approx(width + 20 * math.log(2))
    assert interval_score(0.5, 1.5, 0.25) == pytest.approx(width + 20 * math.log(2))


@pytest.mark.parametrize(
    ("name", "short", "architecture"),
    [
        ("Intel(R) Xeon(R) CPU E5-2699 v4 @ 2.20GHz", "Xeon E5-2699 v4", "Broadwell-EP"),
        ("INTEL(R) XEON(R) PLATINUM 8592+", "Xeon Platinum 8592+", "Emerald Rapids"),
        ("AMD EPYC 9R14", "EPYC 9R14", "EPYC 9004"),
        ("Intel(R) Xeon(R) Platinum 8380HL CPU @ 2.90GHz", "Xeon Platinum 8380HL", "Cooper Lake"),
        ("Intel Xeon Gold 6780E,", "Xeon 6780E", "Sierra Forest"),
        ("AMD Ryzen 9 7950X 16-Core Processor", "Ryzen 9 7950X", None),
    ],
)
def test_names_of_processors(name: str, short: str, architecture: str | None) -> None:
    assert (short_name(name), architecture_of_name(short_name(name))) == (short, architecture)

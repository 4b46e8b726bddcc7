"""docs/watch.md and the dashboard: every metric and label in them is served, and other programs accept the files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
from command import joulemark
from places import DOCS
from prometheus_client.core import Metric
from watched import component, snapshot

from joulemark.suite.watch import metrics
from joulemark.suite.watch.snapshot import GroupState

PAGE = (DOCS / "watch.md").read_text(encoding="utf-8")
DASHBOARD: dict[str, Any] = json.loads((DOCS / "grafana-watch.json").read_text(encoding="utf-8"))
SCRAPED = {"instance", "job"}
"""Labels that Prometheus adds."""
GRAFANA_VARIABLES = {"__rate_interval", "__range", "instance"}
PANELS = {"stat", "timeseries"}
UNITS = {"watt", "joule", "massg", "percentunit", "celsius", "none", "s"}
"""Of Grafana's categories (packages/grafana-data/src/valueFormats/categories.ts)."""
COLUMNS = 24
"""Of a dashboard's grid."""


def served() -> dict[str, Metric]:
    """Return the families of a machine that has everything, by the name of their samples."""
    groups = tuple(GroupState(name, 1.0, 1.0, 1.0, 1.0, 1) for name in ("train", "other programs", "idle"))
    state = snapshot(groups=groups, components=(*snapshot().components, component("cpu", "host", source="estimated")))
    return {f.samples[0].name: f for f in metrics.families(state)}


def labels(family: Metric) -> set[str]:
    (names,) = {frozenset(sample.labels) for sample in family.samples}
    return set(names)


def test_the_tables_have_every_metric_with_its_type_and_labels() -> None:
    rows = dict(re.findall(r"^\| (component|group|temperature|zone|version) \| (.*) \|$", PAGE, re.M)) | {"none": ""}
    table = re.findall(r"^\| `(joulemark_\w+)` \| (\w+) \| (\w+) \|", PAGE, re.M)
    families = served()
    assert {name: kind for name, kind, _ in table} == {name: family.type for name, family in families.items()}
    for name, _, row in table:
        named = re.sub(r"\([^)]*\)", "", rows[row])  # examples of values are in parentheses
        assert set(re.findall(r"`(\w+)`", named)) == labels(families[name]), name


def test_the_dashboard_s_queries_name_what_is_served() -> None:
    families = served()
    queries = [(target["expr"], target["legendFormat"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]
    assert len(queries) > 8
    for expression, legend in queries:
        names = re.findall(r"joulemark_\w+", expression)
        assert names
        for name in names:
            assert name in families, expression
        known = set.intersection(*(labels(families[name]) for name in names)) | SCRAPED
        selected = {name for part in re.findall(r"{([^}]*)}", expression) for name in re.findall(r"(\w+)\s*[=!]", part)}
        grouped = {name for part in re.findall(r"by \(([^)]*)\)", expression) for name in re.split(r", *", part)}
        shown = set(re.findall(r"{{(\w+)}}", legend))
        assert selected | grouped | shown <= known, expression
        assert not grouped or shown <= grouped, legend
        assert set(re.findall(r"\$(\w+)", expression)) <= GRAFANA_VARIABLES, expression


def test_counters_are_queried_by_rate_or_increase() -> None:
    families = served()
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            for name in re.findall(r"joulemark_\w+", target["expr"]):
                is_counter = families[name].type == "counter"
                assert is_counter == bool(re.search(rf"(?:rate|increase)\({name}", target["expr"])), target["expr"]


def test_the_dashboard_is_one_that_grafana_can_lay_out() -> None:
    panels = DASHBOARD["panels"]
    assert {*DASHBOARD} >= {"title", "uid", "schemaVersion", "panels", "templating", "time", "refresh"}
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["type"] in PANELS
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= COLUMNS
        own = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not own & cells, panel["title"]
        cells |= own
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables.keys() == {"datasource", "instance"}
    assert (
        re.fullmatch(r"label_values\((joulemark_\w+), instance\)", variables["instance"]["query"]["query"])[1]
        in served()
    )


@pytest.mark.parametrize(("what", "key"), [("config", "scrape_configs"), ("rules", "groups")])
def test_promtool_accepts_the_examples(tmp_path, what: str, key: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: apt install prometheus")
    (example,) = re.findall(rf"```yaml\n({key}:.*?)```", PAGE, re.S)
    (tmp_path / "example.yml").write_text(example)
    done = subprocess.run(
        ["promtool", "check", what, "example.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_systemd_accepts_the_unit(tmp_path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    (unit,) = re.findall(r"```ini\n(.*?)```", PAGE, re.S)
    (tmp_path / "joulemark-watch.service").write_text(unit.replace("/opt/joulemark/bin/joulemark", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "joulemark-watch.service"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    problems = [line for line in done.stderr.splitlines() if "joulemark" in line]
    assert problems == []


@pytest.mark.slow
def test_commands_have_options_that_exist(tmp_path) -> None:
    help_text = joulemark(tmp_path, "watch", "--help").stdout
    commands = re.findall(r"joulemark watch( .*)$", PAGE, re.M)
    named = {option for command in (*commands, PAGE) for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", command)}
    others = {"--collector"}  # node_exporter's
    assert len(named) > 6
    assert [option for option in sorted(named - others) if option not in help_text] == []

"""Displays of measurements and runs: what is in them, that others' text is harmless, and where dots and bars lie."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from run_files import case, energy, failed_trial, machine, run_file, trial

from joulemark.measurement import Measurement, unavailable
from joulemark.notebook.measurement_html import WIDTH, measurement_html
from joulemark.notebook.run_html import LEFT, MOST, run_html, run_text
from joulemark.suite.records import Cpu

HOSTILE = "<img src=x onerror=alert(1)>\x1b]52;c;x\x07\u202e"
VOID = ("rect", "circle", "line")


class Page(HTMLParser):
    """The elements of a display and its text. Tags are closed in order."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data

    def of(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.elements if name == tag]


def measurement(readings: list[dict[str, Any]], **amounts: Any) -> Measurement:
    amount = {"value": 40.0, "kind": "counter", "ranges": {}, "unit": "J", **amounts}
    made = Measurement(10.0, 15.0, lambda: None)
    made.result = {
        "readings": [{"scope": "0", "attributed": True, "kind": "counter", **each} for each in readings],
        "energy": amount,
        "facility_energy": amount,
        "emissions": {**amount, "unit": "g", "value": 0.002},
        "intensity": {"g_per_kwh": 39.22, "zone": "CH", "source": "Ember"},
        "scope": "processor",
        "source": "measured (rapl)",
        "notices": [],
        "text": "40 J",
    }
    return made


def test_a_measurement_has_its_components_and_their_shares() -> None:
    readings = [{"component": "package", "energy_j": 30.0}, {"component": "dram", "energy_j": 10.0}]
    page = Page(measurement_html(measurement(readings, low=38.0, high=42.0)))
    assert "40.0 J" in page.text
    assert "8.00 W" in page.text
    assert "38.0 J to 42.0 J" in page.text
    bars = [float(rect["width"]) for rect in page.of("rect") if rect["y"] == "0"]
    assert bars == [0.75 * WIDTH, 0.25 * WIDTH]
    assert "package 75%" in page.text


def test_estimates_and_lower_bounds_are_marked() -> None:
    readings = [{"component": "cpu", "energy_j": 40.0, "kind": "model"}]
    page = Page(measurement_html(measurement(readings, kind="model", lower_bound=True)))
    assert "≥~40.0 J" in page.text
    assert "estimate" in page.text


def test_what_was_not_measured_has_its_reason_and_no_number() -> None:
    window = Measurement(10.0, 15.0, lambda: None)
    window.result = unavailable("the sampler has ended", 5.0)
    page = Page(measurement_html(window))
    assert "Energy not measured" in page.text
    assert "the sampler has ended" in page.text
    assert " J" not in page.text


def test_text_of_others_is_harmless() -> None:
    readings = [{"component": HOSTILE, "scope": HOSTILE, "energy_j": 1.0, "reason": HOSTILE, "sensor": HOSTILE}]
    readings.append({**readings[0], "component": "b" + HOSTILE})
    window = measurement(readings)
    assert window.result is not None
    window.result |= {
        "scope": HOSTILE,
        "source": HOSTILE,
        "intensity": {"g_per_kwh": 1.0, "zone": HOSTILE, "source": HOSTILE},
        "notices": [{"message": HOSTILE, "remedy": HOSTILE}],
    }
    hostile = case(id=HOSTILE, trials=[failed_trial(reason=HOSTILE)], reason=HOSTILE)
    cpu = Cpu(model=HOSTILE, physical_cores=2, logical_cores=2, usable_cores=2.0)
    run = run_file([hostile, case()], machine=machine(cpu=cpu))
    for markup in (measurement_html(window), run_html(run)):
        page = Page(markup)
        assert page.of("img") == []
        assert not re.search("[\x07\x1b\u202e]", markup)
        assert "<img src=x onerror=alert(1)>" in page.text  # as text


def plotted(run: Any) -> list[tuple[float, float, float]]:
    """Return the dots of a run's plot with the ends of their intervals."""
    page = Page(run_html(run))
    intervals = [line for line in page.of("line") if line["stroke"] != "currentColor"]
    return [
        (float(dot["cx"]), float(line["x1"]), float(line["x2"]))
        for dot, line in zip(page.of("circle"), intervals, strict=True)
    ]


@pytest.mark.parametrize("ratio", [2.0, 100.0])
def test_dots_and_intervals_lie_where_their_values_are(ratio: float) -> None:
    cases = []
    for number, joules in enumerate((50.0, 50.0 * ratio)):
        trials = [trial(i, readings=[energy(joules * factor)]) for i, factor in enumerate((0.97, 1.0, 1.03), 1)]
        cases.append(case(workload=f"w{number}", trials=trials))
    run = run_file(cases)
    values = [(c.summary.energy_per_item_j.value, c.summary.energy_per_item_j.low, c.summary.energy_per_item_j.high)
              for c in run.cases if c.summary]  # fmt: skip
    scale = math.log if ratio > 20 else float
    (x0, *_), (x1, *_) = dots = plotted(run)
    (v0, *_), (v1, *_) = values
    per_unit = (x1 - x0) / (scale(v1) - scale(v0))
    if scale is float:
        assert x0 - per_unit * v0 == pytest.approx(LEFT, abs=0.2)  # the axis begins at 0
    for positions, ends in zip(dots, values, strict=True):
        for position, value in zip(positions, ends, strict=True):
            assert position == pytest.approx(x0 + per_unit * (scale(value) - scale(v0)), abs=0.2)


def test_a_failed_case_has_its_reason_in_place_of_numbers() -> None:
    run = run_file([case(), case(framework="tensorflow", trials=[failed_trial()], reason="out of memory")])
    assert "failed: out of memory" in Page(run_html(run)).text
    assert "out of memory" in run_text(run)


def test_a_long_run_is_cut_and_says_so() -> None:
    run = run_file([case(workload=f"w{number:03}") for number in range(MOST + 5)])
    page = Page(run_html(run))
    assert len(page.of("circle")) == MOST
    assert "5 cases more" in page.text
    assert "and 5 more" in run_text(run)

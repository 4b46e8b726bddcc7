"""The what-if says all over the page what is supposed, moves everything that hangs on it, and takes no nonsense."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from chromium import Open
from report_files import full, later, summarised, trials
from run_files import case, run_file

from joulemark.reports.html import render
from joulemark.reports.model import build
from joulemark.suite.carbon import ember
from joulemark.suite.notices import Code
from joulemark.suite.records import Emissions, GridInterval, Intensity, Notice, Pue, RunFile
from joulemark.suite.results.summary import recompute
from joulemark.suite.results.table import table

ZONES = tuple(ember.countries().values())
POLAND = ember.intensity("PL").g_per_kwh
OWN = 300.0
EMISSIONS = "emissions_g_per_1000_items"


def measured() -> RunFile:
    """A run on the world's average, with a notice that says so."""
    used = Emissions(
        intensity=Intensity(g_per_kwh=OWN, source="a table", zone=None, vintage=2024),
        pue=Pue(value=1.2, source="given"),
        psf=4.0,
    )
    warned = Notice.of(Code.WORLD_INTENSITY, OWN, None)
    return recompute(full(), used).model_copy(update={"notices": (warned,)})


@pytest.fixture(scope="module")
def html() -> str:
    return render([measured()], zones=ZONES)


def taken(page: Any, button: str) -> list[dict[str, str]]:
    """The rows of the CSV that a button saves."""
    with page.expect_download() as download:
        page.locator(button).click()
    return list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))


def grams() -> list[float]:
    """What Poland and a PUE of 1.5 would make of the cases that have a summary, in the table's order."""
    return [
        1000 * view.quantity("energy_per_item_j").value * 1.5 * POLAND / 3.6e6 for view in build([measured()]).shown
    ]


def test_the_table_and_the_csv_of_the_emissions_move_too(tab: Open, html: str) -> None:
    page = tab(html).open("zone=PL&pue=1.5")
    page.locator("#fig-emissions summary", has_text="Data table").click()
    cells = page.locator("#fig-emissions tbody tr td:nth-child(2)").all()
    assert [float(cell.get_attribute("data-value")) for cell in cells] == pytest.approx(grams(), rel=1e-9)
    assert [float(cell.inner_text()) for cell in cells] == pytest.approx(grams(), rel=1e-5)
    rows = taken(page, "[data-take='emissions.CSV']")
    assert [float(row["grams CO₂e per 1,000 items"]) for row in rows] == pytest.approx(grams(), rel=1e-9)
    page.locator("#whatif [type=reset]").click()
    cells = page.locator("#fig-emissions tbody tr td:nth-child(2)").all()
    own = [value * 1.2 * OWN / (1.5 * POLAND) for value in grams()]
    assert [float(cell.get_attribute("data-value")) for cell in cells] == pytest.approx(own, rel=1e-9)


def test_a_long_table_of_emissions_is_made_with_the_numbers_that_are_supposed(tab: Open) -> None:
    found = [case(f"w{i:03d}", trials=trials(100.0 + i, 50.0, 5.0)) for i in range(210)]
    page = tab(render([summarised(run_file(found))], zones=ZONES)).open("intensity=100&pue=1")
    rows = taken(page, "[data-take='emissions.CSV']")
    assert len(rows) == 210
    page.locator("#fig-emissions summary", has_text="Data table").click()
    page.locator("#fig-emissions tbody tr:nth-child(210)").wait_for()
    cells = page.locator("#fig-emissions tbody tr td:nth-child(2)")
    shown = cells.evaluate_all("(cells) => cells.map((cell) => Number(cell.dataset.value))")
    assert shown == pytest.approx([float(row["grams CO₂e per 1,000 items"]) for row in rows], rel=1e-12)
    page.fill("[name=intensity]", "200")
    assert cells.evaluate_all("(cells) => cells.map((cell) => Number(cell.dataset.value))") == pytest.approx(
        [2 * value for value in shown], rel=1e-12
    )


@pytest.mark.parametrize(
    ("state", "zone", "intensity", "pue"),
    [("", "", OWN, 1.2), ("zone=PL&pue=1.5", "PL", POLAND, 1.5), ("zone=PL&intensity=12.5", "", 12.5, 1.2)],
)
def test_the_whole_tables_csv_says_what_its_grams_are_made_with(
    tab: Open, html: str, state: str, zone: str, intensity: float, pue: float
) -> None:
    for row in taken(tab(html).open(state), "[data-csv]"):
        assert (row["zone"], float(row["intensity_g_per_kwh"]), float(row["pue"])) == (zone, intensity, pue)
        if row["energy_per_item_j"]:
            expected = 1000 * float(row["energy_per_item_j"]) * pue * intensity / 3.6e6
            assert float(row[EMISSIONS]) == pytest.approx(expected, rel=1e-9)


OWN_HOURS = "actual_g_per_1000_items"


def test_another_grid_says_nothing_of_the_runs_own_hours(tab: Open) -> None:
    """The column moved with PUE alone: beside `zone=PL` and a banner that named Poland stood the run's own grid."""
    parts = (GridInterval(start="2026-11-01T12:00:00Z", end="2026-11-01T12:05:00Z", g_per_kwh=120.0),)
    run = recompute(full(), measured().emissions.model_copy(update={"intervals": parts}))
    page = tab(render([run], zones=ZONES)).open()
    place = page.locator("#results thead th").evaluate_all(
        "(heads, key) => heads.findIndex((head) => head.dataset.key === key)", OWN_HOURS
    )
    cells = page.locator(f"#results tbody tr.ok td:nth-child({place + 1})")
    before = cells.all_inner_texts()
    for name, value in (("zone", "PL"), ("intensity", "100")):
        (page.select_option if name == "zone" else page.fill)(f"[name={name}]", value)
        assert {text.split("\n")[0] for text in cells.all_inner_texts()} == {"—"}
        assert cells.evaluate_all("(cells) => cells.map((cell) => cell.dataset.value)") == [""] * len(before)
        for row in taken(page, "[data-csv]"):
            assert {row[f"{OWN_HOURS}{end}"] for end in ("", "_low", "_high", "_kind")} <= {"", "unavailable"}
            assert float(row["intensity_g_per_kwh"]) == (POLAND if name == "zone" else 100.0)
        page.locator("#whatif [type=reset]").click()
        assert cells.all_inner_texts() == before
    page.fill("[name=pue]", "2.4")
    for row, cell in zip(taken(page, "[data-csv]"), table(run).rows, strict=True):
        own = cell.cells[OWN_HOURS].value
        assert row[OWN_HOURS] == "" if own is None else float(row[OWN_HOURS]) == pytest.approx(2 * own, rel=1e-9)


def test_the_page_says_in_all_places_what_is_supposed(tab: Open, html: str) -> None:
    page = tab(html).open()
    head, terms, strip = page.locator("#answer .system"), page.locator("#emissions .terms"), page.locator("#validity")
    before = [part.inner_text() for part in (head, terms, strip)]
    assert not page.locator("#whatif-on").is_visible()
    page.select_option("[name=zone]", "PL")
    page.fill("[name=pue]", "1.5")
    banner = page.locator("#whatif-on")
    page.locator("#reproduce").scroll_into_view_if_needed()
    assert banner.bounding_box()["y"] < 100  # in sight wherever the reader is
    assert "Poland" in banner.inner_text()
    assert "PUE 1.5" in banner.inner_text()
    assert f"what if: PL, {POLAND:g} g CO₂e/kWh ◔" in head.inner_text()
    assert "what if: 1.5" in head.inner_text()
    assert f"what if: PL, {POLAND:g} g" in terms.inner_text()
    assert "as measured: 300 g/kWh" in terms.inner_text()
    assert "of the run as measured" in strip.inner_text()
    page.emulate_media(media="print")
    assert banner.is_visible()
    page.emulate_media(media="screen")
    page.locator("#whatif [type=reset]").click()
    assert [part.inner_text() for part in (head, terms, strip)] == before
    assert not banner.is_visible()


def test_psf_is_of_the_total_only_and_the_total_is_said_once_and_times_psf(tab: Open, html: str) -> None:
    page = tab(html).open()
    total = page.locator("[data-total=A]")
    first = total.inner_text()
    assert first == build([measured()]).runs[0].total
    assert "; times PSF 4: " in first
    page.fill("[name=psf]", "8")
    assert total.inner_text().partition(";")[0] == first.partition(";")[0]
    assert "Grams" not in page.locator("#whatif-says").inner_text()
    page.locator("#whatif [type=reset]").click()
    assert total.inner_text() == first


def test_no_intensity_at_all_leaves_no_marks_and_says_why(tab: Open, html: str) -> None:
    opened = tab(html)
    page = opened.open()
    opened.draw_all()
    page.fill("[name=intensity]", "0")
    assert "All are 0 g" in page.locator("#plot-emissions").text_content()
    assert page.locator("#plot-emissions .scatterlayer .point[d]:visible").count() == 0
    page.fill("[name=intensity]", "100")
    assert "All are 0 g" not in page.locator("#plot-emissions").text_content()
    assert page.locator("#plot-emissions .scatterlayer .point:visible").count() == 6


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("pue", text) for text in ("0.9", "6", "x", "1,3")),
        *(("intensity", text) for text in ("-5", "3001", "12,5", "Infinity")),
        *(("psf", text) for text in ("-1", "0")),
        *(("items", text) for text in ("1e300", "0", "-5")),
    ],
)
def test_what_is_not_taken_is_said(tab: Open, html: str, name: str, text: str) -> None:
    page = tab(html).open()
    field, wrong = page.locator(f"[name={name}]"), page.locator("#whatif-wrong")
    before = page.locator("#results").inner_text()
    field.press_sequentially(text)
    assert field.get_attribute("aria-invalid") == "true"
    assert f" {text} is not taken" in wrong.inner_text()
    assert ("a point" in wrong.inner_text()) == ("," in text)
    assert page.locator("#results").inner_text() == before
    assert name not in page.url
    field.fill("1.5")
    assert field.get_attribute("aria-invalid") == "false"
    assert wrong.inner_text() == ""


def test_a_link_with_what_is_not_taken_says_so(tab: Open, html: str) -> None:
    page = tab(html).open("pue=0.5&zone=XX")
    assert page.input_value("[name=pue]") == "0.5"
    assert "PUE: 0.5 is not taken" in page.locator("#whatif-wrong").inner_text()
    assert "XX is not in the list" in page.locator("#whatif-wrong").inner_text()


@pytest.mark.parametrize(
    ("items", "energy", "year"),
    [("1", "µWh", "mg"), ("250000", "Wh", "kg"), ("1000000000", "kWh", "t"), ("1e15", "GWh", "Mt")],
)
def test_a_days_items_have_a_unit_that_suits_them(tab: Open, html: str, items: str, energy: str, year: str) -> None:
    page = tab(html).open(f"items={items}&psf=1")
    factors = {"µWh": 1e-9, "Wh": 1e-3, "kWh": 1.0, "GWh": 1e6, "mg": 1e-6, "kg": 1.0, "t": 1e3, "Mt": 1e9}
    for row in page.locator("#whatif-days tbody tr").all():
        for place, unit in ((0, energy), (2, year)):
            cell = row.locator("td").nth(place)
            number, shown = cell.inner_text().split()
            assert shown == unit
            value = float(cell.get_attribute("data-value")) / factors[unit]
            assert float(number.replace(",", "")) == pytest.approx(value, rel=5e-3)


def test_a_hair_of_an_intensity_can_be_written(tab: Open, html: str) -> None:
    page = tab(html).open("intensity=1e-100")
    assert "e-" in page.locator("#results tbody td:nth-child(8)").first.inner_text()


def test_another_work_has_its_own_formulas(tab: Open, html: str) -> None:
    page = tab(html).open()
    formulas, opening = page.locator("#formulas"), page.input_value("#work")
    first = formulas.inner_text()
    page.fill("[name=intensity]", "100")
    for i, view in enumerate(build([measured()]).answers):
        page.select_option("#work", f"g{i}")
        lines = page.locator("#formulas .formula").all()
        assert len(lines) == len(view.cases)
        for line, of in zip(lines, view.cases, strict=True):
            energy_j = of.quantity("energy_per_item_j").value
            shown = {name: line.locator(f"[data-part={name}]").inner_text() for name in ("name", "energy", "grams")}
            assert shown["name"] == f"{of.title}, {of.name}"
            assert float(shown["energy"]) == pytest.approx(energy_j, rel=1e-4)
            assert float(shown["grams"]) == pytest.approx(1000 * energy_j * 1.2 * 100 / 3.6e6, rel=1e-4)
    page.locator("#whatif [type=reset]").click()
    page.select_option("#work", opening)
    assert formulas.inner_text().split() == first.split()


def test_several_runs_say_what_is_supposed_too(tab: Open) -> None:
    page = tab(render([later(1, 1.0), later(2, 1.1)], zones=ZONES)).open("zone=PL")
    assert page.locator("#answer table", has_text="what if: PL").locator("[data-fact=Grid]").count() == 2

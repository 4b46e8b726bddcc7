"""The what-if shows its inputs all over the page, and changes everything that depends on them."""

from __future__ import annotations

import pytest
from chromium import Open, address_state, download_csv
from report_files import full, run_on_day
from whatif_runs import ZONES

from joulemark.reports.html import render
from joulemark.reports.model import build
from joulemark.suite.carbon import ember
from joulemark.suite.notices import Code
from joulemark.suite.records import Emissions, GridInterval, Intensity, Notice, Pue, RunFile
from joulemark.suite.results.summary import recompute
from joulemark.suite.results.table import table

POLAND = ember.intensity("PL").g_per_kwh
OWN = 300.0
EMISSIONS = "emissions_g_per_1000_items"
OWN_HOURS = "actual_g_per_1000_items"


def on_world_average() -> RunFile:
    """Return a run on an average intensity, with a notice about it."""
    used = Emissions(
        intensity=Intensity(g_per_kwh=OWN, source="a table", zone=None, vintage=2024),
        pue=Pue(value=1.2, source="given"),
        psf=4.0,
    )
    return recompute(full(), used).model_copy(update={"notices": (Notice.of(Code.WORLD_INTENSITY, OWN, None),)})


@pytest.fixture(scope="module")
def world_page() -> str:
    return render([on_world_average()], zones=ZONES)


@pytest.mark.parametrize(
    ("state", "zone", "intensity", "pue"),
    [("", "", OWN, 1.2), ("zone=PL&pue=1.5", "PL", POLAND, 1.5), ("zone=PL&intensity=12.5", "", 12.5, 1.2)],
)
def test_csv_has_the_inputs_of_its_emissions(
    tab: Open, world_page: str, state: str, zone: str, intensity: float, pue: float
) -> None:
    for row in download_csv(tab(world_page).open(state), "[data-csv]"):
        assert (row["zone"], float(row["intensity_g_per_kwh"]), float(row["pue"])) == (zone, intensity, pue)
        if row["energy_per_item_j"]:
            expected = 1000 * float(row["energy_per_item_j"]) * pue * intensity / 3.6e6
            assert float(row[EMISSIONS]) == pytest.approx(expected, rel=1e-9)


def test_emissions_of_the_runs_own_hours_are_unknown_on_another_grid(tab: Open) -> None:
    """The column once changed with PUE alone: beside `zone=PL` stood emissions of the run's own grid."""
    hours = (GridInterval(start="2026-11-01T12:00:00Z", end="2026-11-01T12:05:00Z", g_per_kwh=120.0),)
    run = recompute(full(), on_world_average().emissions.model_copy(update={"intervals": hours}))
    page = tab(render([run], zones=ZONES)).open()
    index = page.locator("#results thead th").evaluate_all(
        "(heads, key) => heads.findIndex((head) => head.dataset.key === key)", OWN_HOURS
    )
    cells = page.locator(f"#results tbody tr.ok td:nth-child({index + 1})")
    before = cells.all_inner_texts()
    for name, value, intensity in (("zone", "PL", POLAND), ("intensity", "100", 100.0)):
        (page.select_option if name == "zone" else page.fill)(f"[name={name}]", value)
        assert {text.split("\n")[0] for text in cells.all_inner_texts()} == {"—"}
        assert cells.evaluate_all("(cells) => cells.map((cell) => cell.dataset.value)") == [""] * len(before)
        for row in download_csv(page, "[data-csv]"):
            assert {row[f"{OWN_HOURS}{end}"] for end in ("", "_low", "_high", "_kind")} <= {"", "unavailable"}
            assert float(row["intensity_g_per_kwh"]) == intensity
        page.locator("#whatif [type=reset]").click()
        assert cells.all_inner_texts() == before
    page.fill("[name=pue]", "2.4")
    for row, expected in zip(download_csv(page, "[data-csv]"), table(run).rows, strict=True):
        own = expected.cells[OWN_HOURS].value
        assert row[OWN_HOURS] == "" if own is None else float(row[OWN_HOURS]) == pytest.approx(2 * own, rel=1e-9)


def test_inputs_are_shown_all_over_the_page(tab: Open, world_page: str) -> None:
    page = tab(world_page).open()
    system, totals = page.locator("#overview .system"), page.locator("#emissions .totals")
    warnings, banner = page.locator("#warnings"), page.locator("#whatif-banner")
    warnings.locator("summary").first.click()
    before = [part.inner_text() for part in (system, totals, warnings)]
    assert not banner.is_visible()
    page.select_option("[name=zone]", "PL")
    page.fill("[name=pue]", "1.5")
    page.locator("#reproduce").scroll_into_view_if_needed()
    assert banner.bounding_box()["y"] < 100  # in sight wherever the reader is
    assert "Poland" in banner.inner_text()
    assert "PUE 1.5" in banner.inner_text()
    assert f"what if: PL, {POLAND:g} g CO₂e/kWh ◔" in system.inner_text()
    assert "what if: 1.5" in system.inner_text()
    assert f"what if: PL, {POLAND:g} g" in totals.inner_text()
    assert "as measured: 300 g/kWh" in totals.inner_text()
    assert warnings.locator("[data-measured-grid]").is_visible()
    page.emulate_media(media="print")
    assert banner.is_visible()
    page.emulate_media(media="screen")
    page.locator("#whatif [type=reset]").click()
    assert [part.inner_text() for part in (system, totals, warnings)] == before
    assert not banner.is_visible()


def test_psf_scales_the_total_only(tab: Open, world_page: str) -> None:
    page = tab(world_page).open()
    total = page.locator("[data-total=A]")
    first = total.inner_text()
    assert first == build([on_world_average()]).runs[0].total
    assert "; times PSF 4: " in first
    page.fill("[name=psf]", "8")
    assert total.inner_text().partition(";")[0] == first.partition(";")[0]
    assert "; times PSF 8: " in total.inner_text()
    assert "Emissions" not in page.locator("#whatif-status").inner_text()
    page.locator("#whatif [type=reset]").click()
    assert total.inner_text() == first


def test_reset_restores_the_first_numbers(tab: Open, world_page: str) -> None:
    page = tab(world_page).open()
    before = page.locator("#results").inner_text()
    page.select_option("[name=zone]", "PL")
    page.fill("[name=pue]", "1.7")
    assert page.locator("#results").inner_text() != before
    assert "Poland" in page.locator("#whatif-status").inner_text()
    page.locator("#whatif [type=reset]").click()
    assert page.locator("#results").inner_text() == before
    assert "zone" not in address_state(page)


def test_every_task_has_its_own_formulas(tab: Open, world_page: str) -> None:
    page = tab(world_page).open()
    formulas, opening = page.locator("#formulas"), page.input_value("#task")
    first = formulas.inner_text()
    page.fill("[name=intensity]", "100")
    for group in build([on_world_average()]).tile_groups:
        page.select_option("#task", group.key)
        for line, view in zip(page.locator("#formulas .formula").all(), group.cases, strict=True):
            energy_j = view.quantity("energy_per_item_j").value
            terms = {name: line.locator(f"[data-term={name}]").inner_text() for name in ("name", "energy", "emissions")}
            assert terms["name"] == f"{view.title}, {view.name}"
            assert float(terms["energy"]) == pytest.approx(energy_j, rel=1e-4)
            assert float(terms["emissions"]) == pytest.approx(1000 * energy_j * 1.2 * 100 / 3.6e6, rel=1e-4)
    page.locator("#whatif [type=reset]").click()
    page.select_option("#task", opening)
    assert formulas.inner_text().split() == first.split()


def test_inputs_are_shown_for_each_of_several_runs(tab: Open) -> None:
    page = tab(render([run_on_day(1, 1.0), run_on_day(2, 1.1)], zones=ZONES)).open("zone=PL")
    assert page.locator("#overview table", has_text="what if: PL").locator("[data-fact=Grid]").count() == 2

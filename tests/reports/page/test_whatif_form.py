"""The fields of the what-if: invalid values are refused with a message, and units suit the values."""

from __future__ import annotations

import pytest
from chromium import Open, address_state

INVALID = {
    "pue": ("0.9", "6", "x", "1,3"),
    "intensity": ("-5", "3001", "12,5", "Infinity"),
    "psf": ("-1", "0"),
    "items": ("1e300", "0", "-5"),
}


def test_invalid_value_has_a_message_and_changes_nothing(tab: Open, html: str) -> None:
    page = tab(html).open()
    errors = page.locator("#whatif-errors")
    before = page.locator("#results").inner_text()
    for name, texts in INVALID.items():
        field = page.locator(f"[name={name}]")
        for text in texts:
            field.press_sequentially(text)
            assert field.get_attribute("aria-invalid") == "true"
            assert f" {text} " in errors.inner_text()
            assert ("decimal point" in errors.inner_text()) == ("," in text)
            assert page.locator("#results").inner_text() == before
            assert name not in address_state(page)
            field.fill("1.5")
            assert field.get_attribute("aria-invalid") == "false"
            assert errors.inner_text() == ""
            page.locator("#whatif [type=reset]").click()
            assert page.locator("#results").inner_text() == before


def test_link_with_invalid_values_has_messages(tab: Open, html: str) -> None:
    page = tab(html).open("pue=0.5&zone=XX")
    assert page.input_value("[name=pue]") == "0.5"
    assert "PUE: 0.5 " in page.locator("#whatif-errors").inner_text()
    assert "XX " in page.locator("#whatif-errors").inner_text()


def test_link_with_invalid_values_changes_nothing(tab: Open, html: str) -> None:
    opened = tab(html)
    before = opened.open().locator("#results").inner_text()
    for state in ("pue=0.5&intensity=-1&psf=0&items=-5", "pue=x&intensity=9999", "zone=XX&task=g99"):
        assert opened.open(state).locator("#results").inner_text() == before, state


DAILY = (("1", "µWh", "mg"), ("250000", "Wh", "kg"), ("1000000000", "kWh", "t"), ("1e15", "GWh", "Mt"))


def test_energy_and_emissions_per_day_have_suitable_units(tab: Open, html: str) -> None:
    # Intensity and PUE of the run that the units are chosen for.
    page = tab(html).open("psf=1&intensity=300&pue=1.2")
    factors = {"µWh": 1e-9, "Wh": 1e-3, "kWh": 1.0, "GWh": 1e6, "mg": 1e-6, "kg": 1.0, "t": 1e3, "Mt": 1e9}
    for items, energy_unit, year_unit in DAILY:
        page.fill("[name=items]", items)
        rows = page.locator("#whatif-days tbody tr").all()
        assert rows
        for row in rows:
            for place, unit in ((0, energy_unit), (2, year_unit)):
                cell = row.locator("td").nth(place)
                number, shown_unit = cell.inner_text().split()
                assert shown_unit == unit
                value = float(cell.get_attribute("data-value")) / factors[unit]
                assert float(number.replace(",", "")) == pytest.approx(value, rel=5e-3)


def test_tiny_intensity_is_written_with_an_exponent(tab: Open, html: str) -> None:
    page = tab(html).open("intensity=1e-100")
    assert "e-" in page.locator("#results tbody td:nth-child(8)").first.inner_text()

"""Cells, units and numbers of other programs' tables."""

from __future__ import annotations

import pytest

from joulemark.suite.system.tables import cells, columns, number, unit_in


@pytest.mark.parametrize(
    ("name", "base", "factor"),
    [
        ("watt", "W", 1), ("power.draw [W]", "W", 1), ("PkgWatt", "W", 1), ("power_mw", "W", 1e-3),
        ("Power (kW)", "W", 1e3),
        ("Power (MW)", "W", 1e6), ("total_wh", "J", 3600), ("Energy (kWh)", "J", 3.6e6), ("energy_mwh", "J", 3.6),
        ("voltage_mv", "V", 1e-3), ("Amps", "A", 1), ("current_ma", "A", 1e-3), ("power_va", "VA", 1),
        ("gCO₂eq/kWh", "g/kWh", 1), ("g_per_kwh", "g/kWh", 1), ("kg CO2e per MWh", "g/kWh", 1),
        ("kgCO2/kWh", "g/kWh", 1e3),
        ("tCO2_per_MWh", "g/kWh", 1e3), ("lbs_co2_per_mwh", "g/kWh", 0.45359237), ("lb/MWh", "g/kWh", 0.45359237),
    ],
)  # fmt: skip
def test_unit_of_a_name(name: str, base: str, factor: float) -> None:
    unit = unit_in(name)
    assert unit is not None
    assert (unit.base, unit.factor) == (base, pytest.approx(factor))


@pytest.mark.parametrize("name", ["time", "power", "voltage", "a_act_power", "aenergy.total", "SWITCH", "%", "", "pf"])
def test_name_without_a_unit(name: str) -> None:
    assert unit_in(name) is None


@pytest.mark.parametrize(
    ("cell", "decimal_comma", "value"),
    [
        ("140.0", False, 140.0), ("143,7", True, 143.7), ("143,7", False, 143.7), ("1,234", True, 1.234),
        ("1,234", False, None), ("0,123", False, 0.123), ("1,234.5", False, 1234.5), ("1.234,5", True, 1234.5),
        ("1'234.5", False, 1234.5), ("1e3", False, 1000.0), ("-5", False, -5.0), (".5", False, 0.5),
        ("nan", False, None), ("inf", False, None), ("1e999", False, None), ("", False, None), ("[N/A]", False, None),
        ("unavailable", False, None), ("140 apples", False, None), ("1_000", False, None),
    ],
)  # fmt: skip
def test_number_of_a_cell(cell: str, decimal_comma: bool, value: float | None) -> None:
    read = number(cell, decimal_comma)
    assert (read[0] if read is not None else None) == value


def test_unit_of_a_cell() -> None:
    read = number("68.23 W")
    assert read is not None
    assert (read[0], read[1] and read[1].base) == (68.23, "W")


def test_cells_of_a_line() -> None:
    assert cells('a, "b, c" ,d') == ["a", "b, c", "d"]
    assert cells("1,5;2") == ["1,5", "2"]
    assert cells("1\t2 3") == ["1", "2 3"]
    assert cells("1  2 3") == ["1", "2", "3"]
    assert cells("") == []


def test_words_of_a_column() -> None:
    (column,) = columns(["#Average Graphics Package Power (W)"])
    assert (column.name, column.tokens[-2:]) == ("Average Graphics Package Power (W)", ("power", "w"))

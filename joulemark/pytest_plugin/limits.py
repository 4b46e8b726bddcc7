"""`@pytest.mark.joulemark(max_energy_j=2)`: a test fails where one call takes more, or where that cannot be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from joulemark.pytest_plugin.percall import Outcome, Quantity

MARK = "joulemark"
LIMITS = {"max_energy_j": ("energy", "J"), "max_emissions_g": ("emissions", "g CO2e")}
SWITCHES = ("allow_estimates", "allow_lower_bound")


def limits(item: pytest.Item) -> Mapping[str, Any]:
    """The arguments of the marker nearest to `item`; none without a marker. UsageError where they make no sense."""
    marker = item.get_closest_marker(MARK)
    if marker is None:
        return {}
    what = f"joulemark: {item.nodeid}: the marker"
    if marker.args:
        raise pytest.UsageError(f"{what} takes no positional arguments. Write max_energy_j={marker.args[0]!r}.")
    for name, value in marker.kwargs.items():
        if name not in (*LIMITS, *SWITCHES):
            raise pytest.UsageError(f"{what} has no {name!r}. Available: {', '.join((*LIMITS, *SWITCHES))}.")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in LIMITS and not (number and value > 0):
            raise pytest.UsageError(f"{what} has {name}={value!r}. Give a number above 0.")
        if name in SWITCHES and not isinstance(value, bool):
            raise pytest.UsageError(f"{what} has {name}={value!r}. Give True or False.")
    if not any(name in marker.kwargs for name in LIMITS):
        raise pytest.UsageError(f"{what} sets no limit. Give {' or '.join(LIMITS)}.")
    return dict(marker.kwargs)


def check(item: pytest.Item, found: Outcome | None, allow_estimates: bool) -> None:
    """Fail the test where a limit of its marker is broken, or cannot be held."""
    asked = limits(item)
    for name, (quantity, unit) in LIMITS.items():
        if name in asked:
            broken = trouble(
                asked[name],
                None if found is None else getattr(found, quantity),
                unit,
                asked.get("allow_estimates", allow_estimates),
                asked.get("allow_lower_bound", False),
            )
            if broken is not None:
                pytest.fail(f"joulemark: {name}={asked[name]:g}: {broken}", pytrace=False)


def trouble(limit: float, amount: Quantity | None, unit: str, estimates: bool, lower_bounds: bool) -> str | None:
    """Why the limit does not hold; None where it does."""
    if amount is None:
        return "not measurable: nothing was benchmarked (is pytest-benchmark disabled?)"
    if amount["value"] is None:
        return f"not measurable: {amount['reason']}"
    if amount["kind"] == "model" and not estimates:
        return (
            f"not measurable: about {_text(amount, unit)} a call is an estimate, no measurement. "
            "Make a sensor readable (joulemark doctor), or give allow_estimates=True."
        )
    if amount["value"] > limit:
        return f"a call takes {_text(amount, unit)}"
    if amount["lower_bound"] and not lower_bounds:
        return (
            f"not measurable: a call takes at least {_text(amount, unit)}; {amount['reason']}. "
            "Give allow_lower_bound=True to hold the limit against what is measured."
        )
    return None


def _text(amount: Quantity, unit: str) -> str:
    interval = "" if amount["low"] is None else f" [{amount['low']:.3g}, {amount['high']:.3g}]"
    return f"{amount['value']:.3g}{interval} {unit}"

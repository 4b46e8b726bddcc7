"""`@pytest.mark.joulemark(max_energy_j=2)`: fail a test if one call takes more, or if that cannot be measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from joulemark.pytest_plugin.call_energy import CallEnergy, Quantity

MARK = "joulemark"
LIMITS = {"max_energy_j": ("energy", "J"), "max_emissions_g": ("emissions", "g CO2e")}
"""Arguments of the marker that are limits: the quantity each is for, and its unit."""
SWITCHES = ("allow_estimates", "allow_lower_bound")


def marker_arguments(item: pytest.Item) -> Mapping[str, Any]:
    """Return the arguments of the closest marker of `item`; empty without one. pytest.UsageError for invalid ones."""
    marker = item.get_closest_marker(MARK)
    if marker is None:
        return {}
    subject = f"joulemark: {item.nodeid}: the marker"
    if marker.args:
        raise pytest.UsageError(f"{subject} takes no positional arguments. Write max_energy_j={marker.args[0]!r}.")
    for name, value in marker.kwargs.items():
        if name not in (*LIMITS, *SWITCHES):
            raise pytest.UsageError(f"{subject} has no {name!r}. Available: {', '.join((*LIMITS, *SWITCHES))}.")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in LIMITS and not (is_number and value > 0):
            raise pytest.UsageError(f"{subject} has {name}={value!r}. Give a number above 0.")
        if name in SWITCHES and not isinstance(value, bool):
            raise pytest.UsageError(f"{subject} has {name}={value!r}. Give True or False.")
    if not any(name in marker.kwargs for name in LIMITS):
        raise pytest.UsageError(f"{subject} sets no limit. Give {' or '.join(LIMITS)}.")
    return dict(marker.kwargs)


def check_limits(item: pytest.Item, measured: CallEnergy | None, allow_estimates: bool) -> None:
    """Fail the test if a limit of its marker is exceeded or cannot be checked.

    Args:
        item: The test.
        measured: What one call took; None where nothing was measured.
        allow_estimates: Whether limits are checked against modelled energy, unless the marker says otherwise.
    """
    arguments = marker_arguments(item)
    for name, (quantity, unit) in LIMITS.items():
        if name in arguments:
            failure = limit_failure(
                arguments[name],
                None if measured is None else getattr(measured, quantity),
                unit,
                arguments.get("allow_estimates", allow_estimates),
                arguments.get("allow_lower_bound", False),
            )
            if failure is not None:
                pytest.fail(f"joulemark: {name}={arguments[name]:g}: {failure}", pytrace=False)


def limit_failure(
    limit: float, amount: Quantity | None, unit: str, allow_estimates: bool, allow_lower_bound: bool
) -> str | None:
    """Return why `amount` does not stay within `limit`; None if it does."""
    if amount is None:
        return "not measurable: nothing was benchmarked (is pytest-benchmark disabled?)"
    if amount["value"] is None:
        return f"not measurable: {amount['reason']}"
    if amount["kind"] == "model" and not allow_estimates:
        return (
            f"not measurable: about {_text(amount, unit)} a call is an estimate, not a measurement. "
            "Make a sensor readable (joulemark doctor), or give allow_estimates=True."
        )
    if amount["value"] > limit:
        return f"a call takes {_text(amount, unit)}"
    if amount["lower_bound"] and not allow_lower_bound:
        return (
            f"not measurable: a call takes at least {_text(amount, unit)}; {amount['reason']}. "
            "Give allow_lower_bound=True to check the limit against what is measured."
        )
    return None


def _text(amount: Quantity, unit: str) -> str:
    interval = "" if amount["low"] is None else f" [{amount['low']:.3g}, {amount['high']:.3g}]"
    return f"{amount['value']:.3g}{interval} {unit}"

"""A measurement in a notebook: its total, each component, and how they share the energy."""

from __future__ import annotations

from collections.abc import Mapping

from joulemark.measurement import Amount, Measurement, Reading
from joulemark.notebook.style import COLOURS, frame, notices, svg, table, text
from joulemark.suite.units import quantity

WIDTH, HEIGHT = 480, 14
KINDS: Mapping[str, str] = {
    "counter": "counter",
    "integrated": "power samples",
    "model": "estimate",
    "unavailable": "not measured",
}


def measurement_html(measurement: Measurement) -> str:
    """Return the display of one window."""
    energy, grams, duration_s = measurement.energy, measurement.emissions, measurement.duration_s
    if energy.value is None:
        head = f'<p class="total">Energy not measured</p><p>{text(energy.reason)}</p>'
    else:
        power = f", {_marks(energy)}{quantity(energy.value / duration_s, 'W')}" if duration_s > 0 else ""
        head = (
            f'<p class="total">{_amount(energy)} · {_amount(grams)} CO₂e · {text(quantity(duration_s, "s"))}'
            f"{text(power)}</p>"
        )
        if energy.low is not None and energy.high is not None:
            low, high = (quantity(end, "J") for end in (energy.low, energy.high))
            of = "may be" if energy.kind == "model" else "sensors"
            head += f'<p class="minor">{of}: {text(low)} to {text(high)}</p>'
    intensity = measurement.intensity
    grid = ""
    if intensity.get("g_per_kwh") is not None:
        place = f" in {intensity['zone']}" if intensity.get("zone") else ""
        grid = f"; {quantity(intensity['g_per_kwh'])} g/kWh{place} ({intensity.get('source')})"
    readings = measurement.readings
    return frame(
        head,
        _bar(measurement.components),
        table(
            ["Component", "Energy", "Power", "Kind", "Sensor", ""],
            [_row(reading, duration_s) for reading in readings],
            text_columns=(3, 4, 5),
        )
        if readings
        else "",
        f'<p class="minor">{text(measurement.scope)}; {text(measurement.source)}{text(grid)}</p>',
        notices(measurement.notices),
    )


def _amount(amount: Amount) -> str:
    return text(_marks(amount) + quantity(amount.value, amount.unit))


def _marks(amount: Amount) -> str:
    return ("≥" if amount.lower_bound else "") + ("~" if amount.kind == "model" else "")


def _row(reading: Reading, duration_s: float) -> list[str]:
    about = [reading.reason or ""] + ([] if reading.attributed else ["not in the total"])
    mark, joules, watts = "~" if reading.kind == "model" else "", "", ""
    if reading.energy_j is not None:
        joules = mark + quantity(reading.energy_j, "J")
        watts = mark + quantity(reading.energy_j / duration_s, "W") if duration_s > 0 else ""
    return [
        f'{text(reading.component)} <span class="minor">{text(reading.scope)}</span>',
        text(joules),
        text(watts),
        text(KINDS.get(reading.kind, reading.kind)),
        text(reading.sensor),
        f'<span class="minor wide">{text("; ".join(filter(None, about)))}</span>',
    ]


def _bar(components: Mapping[str, float]) -> str:
    """Return the shares of the components as one bar with a legend; nothing where there is one component or none."""
    total_j = sum(components.values())
    if len(components) < 2 or total_j <= 0:
        return ""
    parts, left, legend_left, below = [], 0.0, 0.0, HEIGHT + 8
    for number, (name, energy_j) in enumerate(components.items()):
        width, fill = WIDTH * energy_j / total_j, f'fill="{COLOURS[number % len(COLOURS)]}"'
        label = f"{name} {energy_j / total_j:.0%}"
        parts.append(f'<rect x="{left:.1f}" y="0" width="{width:.1f}" height="{HEIGHT}" {fill}/>')
        parts.append(f'<rect x="{legend_left:.1f}" y="{below}" width="9" height="9" {fill}/>')
        parts.append(f'<text x="{legend_left + 13:.1f}" y="{below + 8}">{text(label)}</text>')
        left += width
        legend_left += 30 + 7 * len(label)
    return svg(WIDTH, HEIGHT + 22, "Share of each component in the energy", parts)

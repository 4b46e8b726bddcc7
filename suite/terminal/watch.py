"""What `joulemark watch` shows: a table that is redrawn in a terminal, one line for each interval where it is piped."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from joulemark.suite import units
from joulemark.suite.energy.components import channel_label
from joulemark.suite.results.intensity_kind import intensity_kind
from joulemark.suite.results.table import AT_LEAST, ESTIMATED
from joulemark.suite.terminal.chart import sparkline
from joulemark.suite.terminal.tables import AdaptiveTable, Column
from joulemark.suite.watch.process_groups import IDLE, OTHERS
from joulemark.suite.watch.snapshot import ComponentState, GroupState, Snapshot

_GROUPS = 5
"""Process groups shown; the others are one row."""
_HISTORY = 600
"""Powers kept for the chart."""


@contextlib.contextmanager
def show(console: Console, all_groups: bool) -> Iterator[Callable[[Snapshot], None]]:
    """Yield a function that shows a snapshot; `all_groups` is whether every group of processes is shown."""
    if not console.is_terminal:
        yield lambda snapshot: print(line(snapshot), flush=True)
        return
    powers_w: deque[float] = deque(maxlen=_HISTORY)
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def update(snapshot: Snapshot) -> None:
            powers_w.append(snapshot.power_w or 0.0)
            live.update(view(snapshot, tuple(powers_w), console, all_groups), refresh=True)

        yield update


def view(snapshot: Snapshot, powers_w: tuple[float, ...], console: Console, all_groups: bool) -> RenderableType:
    """Return the table with a head, and a chart of the power."""
    parts: list[RenderableType] = [Text(_head(snapshot), style="bold"), table(snapshot)]
    if snapshot.groups:
        parts += [Text(), _groups_table(snapshot.groups, None if all_groups else _GROUPS)]
    if len(powers_w) > 1 and max(powers_w) > 0 and console.encoding.startswith("utf"):
        label = f"0 to {_total(snapshot, max(powers_w), 'W')} "
        parts += [Text(), Text(label + sparkline(powers_w, console.width - len(label) - 1), style="cyan")]
    parts += [Text(f"not measured: {reason}", style="yellow") for reason in snapshot.missing]
    return Group(*parts)


def table(snapshot: Snapshot) -> AdaptiveTable:
    """Return the table of components, with their total."""
    numbers = (Column(title, right=True) for title in ("Power", "Energy", "CO2e"))
    result = AdaptiveTable("Component", *numbers, "Sensor")
    temperatures = {each.uuid: f" {each.celsius:.0f} °C" for each in snapshot.temperatures}
    for each in snapshot.components:
        label = component_name(each) + temperatures.get(each.scope, "")
        style = "" if each.counted else "dim"
        cells = [_power(each), _sum(each, each.energy_j, "J"), _sum(each, each.emissions_g, "g")]
        sensor = each.sensor if each.counted else f"{each.sensor}, not in the total"
        result.add(*(Text(cell, style=style) for cell in (label, *cells, sensor)))
    if len(snapshot.counted) != 1:
        result.add(*(Text(cell, style="bold") for cell in ("total", *_totals(snapshot))))
    return result


def line(snapshot: Snapshot) -> str:
    """Return a snapshot as one line: the time, the totals, and the power of each component and named group."""
    parts = [f"{component_name(each)} {_power(each)}" for each in snapshot.components]
    parts += [f"{group.name} {ESTIMATED}{units.quantity(group.power_w, 'W', 2)}" for group in _named(snapshot)]
    return f"{snapshot.at:%Y-%m-%dT%H:%M:%SZ}  {', '.join(_totals(snapshot))}  ({'; '.join(parts) or 'no sensor'})"


def summary(snapshot: Snapshot, all_groups: bool = False) -> str:
    """Return the totals in one line, with the groups of processes if `all_groups`."""
    energy_j, seconds = snapshot.energy_j, snapshot.duration_s
    if energy_j is None or seconds <= 0:
        return f"{units.quantity(seconds, 's')}; energy not measured"
    mean = _total(snapshot, energy_j / seconds, "W")
    parts = "; ".join(f"{component_name(each)} {_sum(each, each.energy_j, 'J')}" for each in snapshot.counted)
    _, energy, grams = _totals(snapshot)
    if all_groups:
        shares = (f"{each.name} {ESTIMATED}{units.quantity(each.energy_j, 'J', 2)}" for each in _named(snapshot))
        parts += f"; of the processor by CPU time: {', '.join(shares)}"
    lacks = f"; not measured: {', '.join(snapshot.missing)}" if snapshot.missing else ""
    return f"{energy} ({parts}), {grams} CO2e, {mean} on average, {units.quantity(seconds, 's')}{lacks}"


def component_name(component: ComponentState) -> str:
    """Return the name of a component for people: `GPU 0`, `package-0`, `dram package-0`."""
    if component.gpu is not None:
        return f"GPU {component.gpu.index}" if component.component == "gpu" else f"GPU {component.gpu.index} module"
    return channel_label(component.component, component.scope)


def _head(snapshot: Snapshot) -> str:
    intensity = snapshot.emissions.intensity
    where = intensity.zone or intensity_kind(intensity).label
    grid = f"{units.significant(intensity.g_per_kwh)} g/kWh ({where})"
    return f"{units.duration(snapshot.duration_s)}, {grid}, PUE {snapshot.emissions.pue.value:g}"


def _groups_table(groups: tuple[GroupState, ...], most: int | None) -> AdaptiveTable:
    """Return the table of groups of processes, all of them estimates; the last two are the others and idle time."""
    *named, others, idle = groups
    shown = named[:most]
    rest = [*named[len(shown) :], others]
    others = GroupState(
        OTHERS,
        energy_j=sum(group.energy_j for group in rest),
        power_w=sum(group.power_w for group in rest),
        emissions_g=sum(group.emissions_g for group in rest),
        cpu_s=sum(group.cpu_s for group in rest),
        processes=sum(group.processes for group in rest),
    )
    numbers = (Column(title, right=True) for title in ("Power", "Energy", "CO2e"))
    result = AdaptiveTable("Processor, by CPU time", *numbers, Column("Processes", right=True))
    for group in (*shown, others, idle):
        amounts = ((group.power_w, "W"), (group.energy_j, "J"), (group.emissions_g, "g"))
        cells = (ESTIMATED + units.quantity(value, unit, 2) for value, unit in amounts)
        count = "" if group is idle else str(group.processes) if group.processes or group is others else "ended"
        result.add(group.name, *cells, count)
    return result


def _named(snapshot: Snapshot) -> list[GroupState]:
    return [group for group in snapshot.groups if group.name not in (OTHERS, IDLE)]


def _totals(snapshot: Snapshot) -> tuple[str, str, str]:
    amounts = ((snapshot.power_w, "W"), (snapshot.energy_j, "J"), (snapshot.emissions_g, "g"))
    power, energy, grams = ("-" if value is None else _total(snapshot, value, unit) for value, unit in amounts)
    return power, energy, grams


def _total(snapshot: Snapshot, value: float, unit: str) -> str:
    """Return an amount of all that is counted, with its marks."""
    mark = (AT_LEAST if snapshot.is_lower_bound else "") + (ESTIMATED if snapshot.is_estimated else "")
    return mark + units.quantity(value, unit, 2 if snapshot.is_estimated else 3)


def _power(component: ComponentState) -> str:
    if component.silent_s is not None:
        return "silent" if component.silent_s == float("inf") else f"silent for {units.duration(component.silent_s)}"
    return "-" if component.power_w is None else _marked(component, component.power_w, "W")


def _sum(component: ComponentState, value: float, unit: str) -> str:
    at_least = AT_LEAST if component.unmeasured_s else ""
    return at_least + _marked(component, value, unit)


def _marked(component: ComponentState, value: float, unit: str) -> str:
    return (
        ESTIMATED + units.quantity(value, unit, 2) if component.source == "estimated" else units.quantity(value, unit)
    )

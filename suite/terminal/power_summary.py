"""Where a run's energy comes from, and its idle power, in one line each. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from joulemark.suite import units
from joulemark.suite.energy.energy_source import source_of_cases
from joulemark.suite.energy.idle_table import IdleRow, IdleTable, IdleValue, idle_table
from joulemark.suite.energy.whole_machine.calibrated_gain import calibration_texts
from joulemark.suite.energy.whole_machine.share import share_of_run
from joulemark.suite.records import RunFile
from joulemark.suite.results.table import ESTIMATED
from joulemark.suite.system.text import one_line


def energy_line(run_file: RunFile) -> list[Text]:
    """Return where the energy of the cases comes from, and what reading the sensors cost; empty without any case."""
    source = source_of_cases([run_file])
    if source is None:
        return []
    line = f"Energy: {source}."
    traces = [trace for trace in run_file.traces if trace.cpu_s is not None and len(trace.t_s) > 1]
    if traces:
        share = sum((trace.cpu_s or 0.0) / (trace.t_s[-1] - trace.t_s[0]) for trace in traces)
        late = units.counted(sum(trace.missed_deadlines for trace in traces), "late read")
        line += f" Reading the sensors took {share:.2%} of one core; {late}."
    return [Text(one_line(line))]


def node_lines(run_file: RunFile) -> list[Text]:
    """Return which share of the whole node was measured, and what calibration records change; empty for neither."""
    share = share_of_run(run_file)
    lines = [f"Whole node: {share.text()}."] if share is not None else []
    lines += [f"Calibration: {text}." for text in calibration_texts(run_file.traces)]
    return [Text(one_line(line)) for line in lines]


def idle_power_line(run_file: RunFile) -> list[Text]:
    """Return idle power before and after the run, and its range with a program resident on a GPU; empty for none."""
    table = idle_table(run_file)
    parts: dict[str, str] = {}
    for row in (*table.of("before"), *table.of("after")):
        parts[row.when] = _powers(table, [row])
    resident = table.of("resident")
    if resident:
        # An estimate of the host knows nothing of the program. The page has it, and each case.
        powers = _powers(table, resident, with_estimates=False)
        parts["program resident"] = powers and f"{powers} ({units.counted(len(resident), 'case')})"
    elif table.no_resident is not None and any(case.device != "cpu" for case in run_file.cases):
        parts["program resident"] = f"not measured ({table.no_resident})"
    parts["not measured"] = ", ".join(f"{name} ({reason})" for name, reason in table.missing.items())
    texts = [f"{name}: {text}" for name, text in parts.items() if text]
    return [Text(one_line(f"Idle power: {'; '.join(texts)}."))] if texts else []


def _powers(table: IdleTable, rows: Sequence[IdleRow], with_estimates: bool = True) -> str:
    """Return the power of each component, or its range over several `rows`."""
    texts = []
    for label in table.components:
        values = [row.values[label] for row in rows if label in row.values]
        known = [value for value in values if with_estimates or value.kind != "model"]
        if known:
            texts.append(f"{label} {_range(known)}")
    return ", ".join(texts)


def _range(values: Sequence[IdleValue]) -> str:
    powers_w = [value.power_w for value in values if value.power_w is not None]
    if not powers_w:
        return f"not measured ({values[0].reason})"
    mark, digits = (ESTIMATED, 2) if values[0].kind == "model" else ("", 3)
    ends = (units.quantity(end, "W", digits) for end in (min(powers_w), max(powers_w)))
    return " to ".join(mark + text for text in dict.fromkeys(ends))

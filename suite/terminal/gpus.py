"""The cases on all GPUs at once: each GPU in a row, and what follows from them."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from joulemark.suite import units
from joulemark.suite.records import AcrossGpus, GpuWay, OneGpu, Quantity, RunFile
from joulemark.suite.results.gpus.across import NO_TRIAL
from joulemark.suite.results.gpus.sentences import gpu_sentences, percent, verdict_text
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.tables import AdaptiveTable, Column

MAX_ROWS = 16
"""GPUs of a table; of more, only those that are not as the others. The page has all."""
TITLES = ("Alone\n/s", "All at once\n/s", "at once\n/ alone", "Alone\nW", "All at once\nW")


def gpu_tables(run_file: RunFile) -> list[RenderableType]:
    """Return a table for each case that the run has on all GPUs, with what is found; empty without such a case."""
    shown: list[RenderableType] = []
    for case in run_file.cases:
        if case.across_gpus is not None:
            task = one_line(case.id.partition("+")[0])
            lines = [Text(one_line(line)) for line in gpu_sentences(case.across_gpus)]
            shown += [Text(f"\n{task} on {len(case.across_gpus.gpus)} GPUs"), *_table(case.across_gpus), *lines]
    return shown


def _table(across: AcrossGpus) -> list[AdaptiveTable]:
    gpus = across.gpus
    if len(gpus) > MAX_ROWS:
        gpus = tuple(gpu for gpu in gpus if gpu.verdict != "as the others" or _is_throttled(gpu))[:MAX_ROWS]
    if not gpus:
        return []
    table = AdaptiveTable("GPU", *(Column(title, right=True) for title in TITLES), Column("Verdict", wrap=True))
    for gpu in gpus:
        watts = (_watts(gpu.alone), _watts(gpu.together))
        rates = (_number(gpu.alone.throughput), _number(gpu.together.throughput))
        verdict = Text(verdict_text(gpu), style="" if gpu.verdict == "as the others" else "bold")
        table.add(gpu.device, *rates, percent(gpu.together_over_alone), *watts, verdict)
    return [table]


def _is_throttled(gpu: OneGpu) -> bool:
    return bool(gpu.alone.throttled or gpu.together.throttled)


def _number(quantity: Quantity) -> str:
    if quantity.value is None:
        return "failed" if quantity.reason == NO_TRIAL else "not measured"
    return units.significant(quantity.value, 4)


def _watts(way: GpuWay) -> str:
    power = way.power_w
    return "not measured" if power.value is None else units.significant(power.value)

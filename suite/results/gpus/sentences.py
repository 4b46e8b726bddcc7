"""What is said of a case on all GPUs at once, in sentences: for the terminal and the page. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from joulemark.suite import units
from joulemark.suite.records import AcrossGpus, GpuWay, OneGpu, Quantity
from joulemark.suite.results.gpus.across import NOT_AT_ONCE
from joulemark.suite.stats.gpus.outliers import MIN_VALUES

MAX_NAMED = 8
"""GPUs that a sentence names one by one."""


def gpu_sentences(across: AcrossGpus) -> list[str]:
    """Return the findings, the most important first."""
    return [
        *_verdicts(across),
        *_throttled(across),
        *_apart(across),
        *_neighbours(across),
        *_spread(across),
        *_host(across),
    ]


def verdict_text(gpu: OneGpu) -> str:
    """Return the verdict of one GPU in a few words: `slow together (thermal)`."""
    places = " and ".join(gpu.where)
    reasons = ", ".join(sorted({*gpu.alone.throttled, *gpu.together.throttled}))
    return " ".join(filter(None, (gpu.verdict, places, f"({reasons})" if reasons else "")))


def _verdicts(across: AcrossGpus) -> Iterator[str]:
    marked = [gpu for gpu in across.gpus if gpu.verdict in ("slow", "differs")]
    count = units.counted(len(across.gpus), "GPU")
    rate = f"{across.familywise_rate:.0%}"
    if not marked:
        if all(gpu.verdict == "not judged" for gpu in across.gpus):
            yield f"The {count} are not judged: it takes two rounds, or four GPUs."
        elif len(across.gpus) >= MIN_VALUES:
            yield f"None of {count} is slow: no one is below what the spread of the others allows."
        else:
            yield f"The {count} do not differ by more than their trials do."
    elif marked[0].verdict == "differs":
        names = _listed([gpu.device for gpu in marked])
        yield f"{names} differ (equal ones would in at most {rate} of such runs); so few cannot tell which is wrong."
    else:
        for gpu in marked[:MAX_NAMED]:
            yield f"{gpu.device} is slow: {_below(gpu)} the median of {count}."
        if len(marked) > MAX_NAMED:
            yield f"{len(marked) - MAX_NAMED} more are slow."
        yield f"A healthy GPU would be named in at most {rate} of such runs."


def _below(gpu: OneGpu) -> str:
    ways = ((name, way) for name, way in _ways(gpu) if name in gpu.where and way.deviation is not None)
    return " and ".join(f"{-(way.deviation or 0.0):.1%} {name}" for name, way in ways) + " below"


def _ways(gpu: OneGpu) -> tuple[tuple[str, GpuWay], tuple[str, GpuWay]]:
    return ("alone", gpu.alone), ("together", gpu.together)


def _throttled(across: AcrossGpus) -> Iterator[str]:
    """Name the GPUs whose driver says that it lowered their clocks."""
    found = []
    for gpu in across.gpus:
        ways: dict[tuple[str, ...], list[str]] = {}
        for name, way in _ways(gpu):
            ways.setdefault(way.throttled, []).append(name)
        found += [f"{gpu.device} ({', '.join(why)}, {' and '.join(names)})" for why, names in ways.items() if why]
    if found:
        yield f"Throttled, as the driver says: {_listed(found)}."


def _apart(across: AcrossGpus) -> Iterator[str]:
    """Name the GPUs that no round has at once with the others: so slow that theirs have ended before."""
    found = [gpu.device for gpu in across.gpus if gpu.together.throughput.reason == NOT_AT_ONCE]
    if found:
        yield f"Not measured at once: {_listed(found)}: in each round, the others worked for under 90% of its window."


def _neighbours(across: AcrossGpus) -> Iterator[str]:
    speed, energy = across.together_over_alone, across.energy_together_over_alone
    if speed.value is not None:
        joules = f", for {percent(energy)} of its own joules per item" if energy.value is not None else ""
        yield f"Beside all others at work, a GPU does {percent(speed)} of what it does alone{joules}."


def _spread(across: AcrossGpus) -> Iterator[str]:
    ways = [
        f"{spread.value:.2%}{f' [{spread.low:.2%}, {spread.high:.2%}]' if spread.low is not None else ''} {way}"
        for way, spread in across.spread.items()
    ]
    if ways:
        yield f"Throughput differs between GPUs by {' and '.join(ways)} (standard deviation)."


def _host(across: AcrossGpus) -> Iterator[str]:
    host = across.host_energy_per_item_j
    if host.value is not None:
        estimated = "about " if host.kind == "model" else ""
        joules = f"{estimated}{units.quantity(host.value, 'J')} per item"
        yield f"While all work, the host that they share takes {joules}, counted once for all."


def percent(ratio: Quantity) -> str:
    """Return a ratio in per cent with its interval."""
    if ratio.value is None:
        return "not measured"
    ends = f" [{ratio.low:.1%}, {ratio.high:.1%}]" if ratio.low is not None and ratio.high is not None else ""
    return f"{ratio.value:.1%}{ends}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    shown = names[:MAX_NAMED]
    if more or len(shown) == 1:
        return ", ".join(shown) + more
    return f"{', '.join(shown[:-1])} and {shown[-1]}"

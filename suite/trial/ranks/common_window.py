"""The windows of several ranks -> the one that all were in, and what was done in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

Fields = dict[str, Any]
"""Fields of `records.Trial`, as `suite.trial.worker` measures them."""


class RanksApartError(Exception):
    """The windows of the ranks do not overlap."""


def common_window(windows: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the intersection of windows, seconds on the clock that all share. Raises RanksApartError without any."""
    start, end = max(start for start, _ in windows), min(end for _, end in windows)
    if end <= start:
        raise RanksApartError("the windows of the ranks do not overlap: one finished before another began")
    return start, end


def steps_within(rank: Mapping[str, Any], window: tuple[float, float]) -> float:
    """Return the steps of a rank in `window`; of a block that an end cuts, the share of its duration."""
    ends = list(accumulate(rank["block_s"], initial=rank["window"][0]))
    covered: float = sum(
        (min(end, window[1]) - max(start, window[0])) / (end - start)
        for start, end in pairwise(ends)
        if end > start and min(end, window[1]) > max(start, window[0])
    )
    return covered * float(rank["steps_per_block"])


def joined(ranks: Sequence[Fields], number: int = 0) -> Fields:
    """Return the fields of a trial of all `ranks` on this node, in the order of their numbers, from `number` on.

    Items are added up over the ranks, and so is the memory of the host; of the devices, the fullest counts. What ranks
    have alike, such as the first output and the environment, is that of the first. Raises RanksApartError.
    """
    first = ranks[0]
    window = common_window([rank["window"] for rank in ranks])
    steps = [steps_within(rank, window) for rank in ranks]
    items = sum(count * rank["items"] / rank["steps"] for count, rank in zip(steps, ranks, strict=True))
    peaks = [rank["peak_memory_bytes"] for rank in ranks]
    on_devices = [peak["device"] for peak in peaks if peak["device"] is not None]
    return {
        **{name: value for name, value in first.items() if name not in ("device", "own_s")},
        "window": window,
        "steps": max(1, round(sum(steps) / len(steps))),
        "items": max(1, round(items)),
        "block_s": _whole_blocks(first, window),
        "first_call_s": max(rank["first_call_s"] for rank in ranks),
        "last_step": max(rank["last_step"] for rank in ranks),
        "peak_memory_bytes": {
            "host": sum(peak["host"] for peak in peaks),
            "device": max(on_devices) if on_devices else None,
        },
        "ranks": [
            {
                "rank": number,
                "device": rank["device"],
                "window_s": rank["window"],
                "steps": rank["steps"],
                "items": rank["items"],
                "own_s": rank["own_s"],
            }
            for number, rank in enumerate(ranks, number)
        ],
    }


def _whole_blocks(rank: Mapping[str, Any], window: tuple[float, float]) -> tuple[float, ...]:
    """Return the durations of those blocks of a rank that lie in `window`."""
    ends = list(accumulate(rank["block_s"], initial=rank["window"][0]))
    return tuple(
        block_s
        for block_s, (start, end) in zip(rank["block_s"], pairwise(ends), strict=True)
        if start >= window[0] and end <= window[1]
    )

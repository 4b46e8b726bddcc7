"""The table of `benchmarks.gpu`."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]

BAD = ("failed", "differs")
"""Status of a case that makes the script end with 1."""
SHOWN_REASONS = 20
TEXTS = ("", "what", "found", "framework", "mode", "precision", "case", "status", "kind")
"""Heads of columns that are text."""


def table(document: Document) -> Iterator[str]:
    """Yield the lines of the table of what was found so far."""
    for name, reason in document["frameworks"].items():
        if reason:
            yield f"! {name} was not run: {reason}"
    yield from _doctor((document.get("doctor") or {}).get("checks", ()))
    yield from _product(document.get("product"))
    yield from _meter(document.get("meter") or ())
    yield from _quick(document.get("quick"))
    yield from _workloads(document.get("workloads") or ())
    yield ""
    for name, part in document["parts"].items():
        yield f"{'!' if part['reason'] else ' '} {name:10} {part['seconds']:6.1f} s  {part['reason'] or ''}"


def has_failed(document: Document) -> bool:
    """Return whether a part or a case failed; what was skipped, or had no time, has not."""
    cases = [case for name in ("product", "quick") for case in (document.get(name) or {}).get("cases", ())]
    rows = [*cases, *(document.get("workloads") or ())]
    return any(row["status"] in BAD for row in rows)


def product_rows(run_file: Document) -> list[dict[str, Any]]:
    """Return FLOP/s of the matrix product by framework and precision, and its share of the probe's."""
    probes = {(each["framework"], each["precision"]): each["flops_per_s"] for each in run_file["probes"]}
    rows = []
    for case in run_file["cases"]:
        peak = probes.get((case["framework"], case["precision"]))
        rate = _value(case, "throughput")
        flops_per_s = rate * case["flops_per_item"] if rate else None
        rows.append(
            {
                **{name: case[name] for name in ("framework", "mode", "precision", "status", "reason")},
                "flops_per_s": flops_per_s,
                "probe_flops_per_s": peak,
                "share": flops_per_s / peak if flops_per_s and peak else None,
                "power_w": _shown(case, "power_w"),
            }
        )
    return rows


def _value(case: Document, name: str) -> float | None:
    value = ((case["summary"] or {}).get(name) or {}).get("value")
    return None if value is None else float(value)


def _shown(case: Document, name: str) -> str | float | None:
    """Return a value of a case's summary, marked as on the page: `~` for an estimate, `>=` for a lower bound."""
    value = _value(case, name)
    if value is None:
        return None
    mark = "~" if case["summary"][name]["kind"] == "model" else ">=" if case["summary"][name]["lower_bound"] else ""
    return f"{mark}{value:.4g}"


def _lines(title: str, heads: Sequence[str], rows: Sequence[Sequence[str | float | None]]) -> Iterator[str]:
    """Yield a table: text to the left, numbers to the right."""
    if not rows:
        return
    cells = [
        ["-" if each is None else each if isinstance(each, str) else f"{each:.4g}" for each in row] for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    left = [head in TEXTS for head in heads]
    yield from ("", title)
    for row in (heads, *cells):
        fitted = (
            f"{cell:{'<' if is_left else '>'}{width}}" for cell, width, is_left in zip(row, widths, left, strict=True)
        )
        yield f"  {'  '.join(fitted).rstrip()}"


def _doctor(checks: Sequence[Document]) -> Iterator[str]:
    rows = [
        [
            "ok" if check["readable"] else "!" if check["found"] else "-",
            f"{check['kind']} {check['name']}",
            *(f"{check[name] * 1e3:.3g} ms" if check[name] is not None else "" for name in ("tick_s", "read_cost_s")),
            (check["reason"] or "")[:90],
        ]
        for check in checks
    ]
    yield from _lines("Doctor", ("", "what", "updates", "one read", "found"), rows)


def _product(run_file: Document | None) -> Iterator[str]:
    rows = [
        [row["framework"], row["mode"], row["precision"]]
        + [value / 1e12 if value else None for value in (row["flops_per_s"], row["probe_flops_per_s"])]
        + [row["share"], row["power_w"], row["reason"] or row["status"]]
        for row in (product_rows(run_file) if run_file else ())
    ]
    heads = ("framework", "mode", "precision", "TFLOP/s", "probe", "share", "W", "status")
    yield from _lines("Matrix product", heads, rows)


def _meter(windows: Sequence[Document]) -> Iterator[str]:
    rows = []
    for window in windows:
        meter = window["meter"] or {}
        meter_j, counter_j = meter.get("energy_j"), window["counter_j"]
        ratio = meter_j / counter_j if meter_j and counter_j else None
        values = [window["duration_s"], meter_j, meter.get("low_j"), meter.get("high_j"), window["reader_j"], counter_j]
        rows.append([*values, ratio, meter.get("kind") or "no reading"])
    heads = ("seconds", "Meter J", "low", "high", "second reader J", "counter J", "Meter / counter", "kind")
    yield from _lines("Meter against a second reader of the same counter", heads, rows)


def _quick(run_file: Document | None) -> Iterator[str]:
    rows = []
    for case in run_file["cases"] if run_file else ():
        values = (_shown(case, name) for name in ("throughput", "energy_per_item_j", "power_w"))
        rows.append([case["id"], *values, case["reason"] or case["status"]])
    yield from _lines("joulemark run, one round", ("case", "items/s", "J/item", "W", "status"), rows)


def _workloads(rows: Sequence[Document]) -> Iterator[str]:
    counts = collections.Counter((row["framework"], row["mode"], row["precision"], row["status"]) for row in rows)
    statuses = dict.fromkeys(status for *_, status in counts)
    groups = dict.fromkeys(tuple(key[:3]) for key in counts)
    table_rows = [[*group, *(str(counts[(*group, status)]) for status in statuses)] for group in groups]
    heads = ("framework", "mode", "precision", *statuses)
    yield from _lines("Every workload and phase once: number of cases", heads, table_rows)
    bad = [row for row in rows if row["status"] in BAD]
    for row in bad[:SHOWN_REASONS]:
        name = "/".join(row[key] for key in ("workload", "phase", "framework", "mode", "precision"))
        yield f"! {name}: {row['reason']}"
    if len(bad) > SHOWN_REASONS:
        yield f"! And {len(bad) - SHOWN_REASONS} more: see the JSON."

"""The run file in the page: thinned, packed, and the same bytes each time."""

from __future__ import annotations

import base64
import gzip

from hypothesis import given
from hypothesis import strategies as st
from report_files import full
from run_files import run_file, trace

from joulemark.reports.model import power_lines
from joulemark.reports.model.embedded import packed, thinned
from joulemark.reports.model.power import CHART_POINTS, MAX_POINTS, extremes
from joulemark.suite.records import Trace, parse


def long_trace(points: int) -> Trace:
    found = trace(points / 10)
    values = tuple(None if 400 < i < 900 else 50.0 + (1000.0 if i == points // 2 else i % 7) for i in range(points + 1))
    watts = found.channels[0].model_copy(update={"unit": "W", "kind": "integrated", "values": values})
    return found.model_copy(update={"channels": (watts,)})


def test_thinning_keeps_peaks_and_gaps() -> None:
    run = run_file(traces=(long_trace(20_000),))
    (line,) = power_lines(run)
    assert len(line.t_s) <= CHART_POINTS
    assert line.samples == 20_001
    assert max(p for p in line.power_w if p is not None) == 1050.0
    assert None in line.power_w
    assert list(line.t_s) == sorted(line.t_s)


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=300), st.integers(1, 40).map(lambda n: 2 * n))
def test_extremes_are_few_ordered_and_hold_both_ends(values: list[float | None], limit: int) -> None:
    kept = extremes(values, limit)
    known = [value for value in values if value is not None]
    assert kept == sorted(set(kept))
    assert len(kept) <= max(limit, 0)
    if known:
        found = [values[i] for i in kept if values[i] is not None]
        assert max(found) == max(known)  # type: ignore[type-var]
        assert min(found) == min(known)  # type: ignore[type-var]


def test_the_embedded_run_file_is_a_run_file_and_the_same_bytes() -> None:
    run = full(traces=(long_trace(20_000), trace(500.0)))
    text = gzip.decompress(base64.b64decode(packed(run))).decode()
    taken = parse(text, "the page")
    assert taken == thinned(run)
    assert taken.cases == run.cases
    assert all(len(t.t_s) <= MAX_POINTS for t in taken.traces)
    assert packed(run) == packed(run)
    assert thinned(full()) == full()


# --- small parts ------------------------------------------------------------------------------------------------------

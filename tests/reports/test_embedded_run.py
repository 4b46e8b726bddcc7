"""The run file in the page: thinned, packed, and always the same bytes."""

from __future__ import annotations

import base64
import gzip

from hypothesis import given
from hypothesis import strategies as st
from report_files import full
from run_files import run_file, trace

from joulemark.reports.embedded_run import MAX_POINTS, packed, thinned
from joulemark.reports.model.power import CHART_POINTS, power_traces
from joulemark.reports.thinning import extremes
from joulemark.suite.records import Trace
from joulemark.suite.results.run_files import parse


def long_trace(points: int) -> Trace:
    """Return a trace of watts with a gap, and a peak in the middle."""
    counter = trace(points / 10)
    values = tuple(None if 400 < i < 900 else 50.0 + (1000.0 if i == points // 2 else i % 7) for i in range(points + 1))
    watts = counter.channels[0].model_copy(update={"unit": "W", "kind": "integrated", "values": values})
    return counter.model_copy(update={"channels": (watts,)})


def test_thinning_keeps_peaks_and_gaps() -> None:
    (thinned_trace,) = power_traces(run_file(traces=(long_trace(20_000),)))
    assert len(thinned_trace.t_s) <= CHART_POINTS
    assert thinned_trace.samples == 20_001
    assert max(power for power in thinned_trace.power_w if power is not None) == 1050.0
    assert None in thinned_trace.power_w
    assert list(thinned_trace.t_s) == sorted(thinned_trace.t_s)


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=300), st.integers(1, 40).map(lambda n: 2 * n))
def test_extremes_are_few_ordered_and_hold_both_ends(values: list[float | None], limit: int) -> None:
    indices = extremes(values, limit)
    known = [value for value in values if value is not None]
    assert indices == sorted(set(indices))
    assert len(indices) <= max(limit, 0)
    if known:
        kept = [value for i in indices if (value := values[i]) is not None]
        assert max(kept) == max(known)
        assert min(kept) == min(known)


def test_embedded_run_file_is_valid_and_always_the_same_bytes() -> None:
    run = full(traces=(long_trace(20_000), trace(500.0)))
    unpacked = parse(gzip.decompress(base64.b64decode(packed(run))).decode(), "the page")
    assert unpacked == thinned(run)
    assert unpacked.cases == run.cases
    assert all(len(each.t_s) <= MAX_POINTS for each in unpacked.traces)
    assert packed(run) == packed(run)
    assert thinned(full()) == full()

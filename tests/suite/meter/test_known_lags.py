"""Publication lags that a meter's windows show, and their use in others."""

from __future__ import annotations

import pytest
from late_counter import LAG_S, LOAD_W, late_trace

from joulemark.suite.energy.window_energy import compute_reading
from joulemark.suite.meter.known_lags import METHOD, KnownLags, lacks_lag

LOADS = [(5.0, 7.0), (12.0, 14.0), (19.0, 21.0)]
SHORT = (26.0, 26.5)


def test_lag_of_earlier_windows_corrects_a_later_one() -> None:
    known = KnownLags()
    trace = late_trace([*LOADS, SHORT])
    (before,) = known.apply([trace], [])
    assert (lacks_lag([before]), known.longest_s) == (True, 0.0)
    known.apply([trace], [end for _, end in LOADS])
    (after,) = known.apply([trace], [])
    lag = after.channels[0].publication_lag
    assert lag is not None
    assert (lag.steps, lag.method, known.longest_s) == (3, METHOD, lag.lag_s)
    assert lag.lag_s == pytest.approx(LAG_S, abs=lag.error_s)
    assert not lacks_lag([after])
    true_j = LOAD_W * (SHORT[1] - SHORT[0])
    uncorrected, corrected = (compute_reading(one, one.channels[0], SHORT).energy_j for one in (trace, after))
    assert uncorrected is not None
    assert uncorrected < 0.9 * true_j
    assert corrected == pytest.approx(true_j, rel=0.02)


def test_the_better_known_lag_is_kept() -> None:
    known = KnownLags()
    trace = late_trace(LOADS)
    known.apply([trace], [end for _, end in LOADS])
    (again,) = known.apply([trace], [LOADS[0][1]])
    assert again.channels[0].publication_lag is not None
    assert again.channels[0].publication_lag.steps == 3

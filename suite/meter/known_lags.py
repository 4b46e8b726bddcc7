"""The publication lags that a program's synchronised windows have shown so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from joulemark.suite.energy.publication_lag import with_publication_lags
from joulemark.suite.energy.update_times import can_lag
from joulemark.suite.records import Channel, PublicationLag, Trace

SETTLE_S = 1.0
"""So long after a window, a sensor that is read ten times a second shows that its load has ended."""
METHOD = "the end of synchronised windows"

Key = tuple[str, str, str, str]
"""Sensor, component, scope and unit."""


class KnownLags:
    """Publication lags by channel."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lags: dict[Key, PublicationLag] = {}

    @property
    def longest_s(self) -> float:
        """The longest lag that is known, seconds."""
        return max((lag.lag_s for lag in self._lags.values()), default=0.0)

    def apply(self, traces: Sequence[Trace], ends_s: Sequence[float]) -> tuple[Trace, ...]:
        """Return `traces` with the lags of their channels, those included that they show at `ends_s`."""
        for key, channel in _channels(with_publication_lags(traces, ends_s, METHOD)):
            lag, known = channel.publication_lag, self._lags.get(key)
            if lag is not None and (known is None or lag.error_s < known.error_s):
                self._lags[key] = lag
        return tuple(
            trace.model_copy(
                update={
                    "channels": tuple(
                        channel.model_copy(update={"publication_lag": self._lags.get(key)})
                        for key, channel in _channels([trace])
                    )
                }
            )
            for trace in traces
        )


def lacks_lag(traces: Sequence[Trace]) -> bool:
    """Return whether a lag is unknown that a window's end could show."""
    return any(can_lag(channel) and channel.publication_lag is None for _, channel in _channels(traces))


def _channels(traces: Sequence[Trace]) -> Iterator[tuple[Key, Channel]]:
    for trace in traces:
        for channel in trace.channels:
            yield (trace.sensor, channel.component, channel.scope, channel.unit), channel

"""The run file inside the page: thinned, packed, and the same bytes each time."""

from __future__ import annotations

import base64
import gzip
import hashlib

from reports.model.power import MAX_POINTS, extremes
from suite.results.records import RunFile, Trace


def packed(run_file: RunFile) -> str:
    """The run file's JSON with thinned traces, gzipped without a time stamp, in base64."""
    document = thinned(run_file).model_dump_json().encode()
    return base64.b64encode(gzip.compress(document, compresslevel=9, mtime=0)).decode()


def checksum(run_file: RunFile) -> str:
    """SHA-256 of the run file's JSON as joulemark writes it, before thinning."""
    return hashlib.sha256((run_file.model_dump_json(indent=1) + "\n").encode()).hexdigest()


def thinned(run_file: RunFile) -> RunFile:
    """`run_file` with at most `MAX_POINTS` points a channel. Readings and summaries stay as they were computed."""
    return run_file.model_copy(update={"traces": tuple(_thin(trace) for trace in run_file.traces)})


def _thin(trace: Trace) -> Trace:
    """The lowest and highest points of each channel's stretches; channels of one trace share their times."""
    if len(trace.t_s) <= MAX_POINTS or not trace.channels:
        return trace
    share = max(2, MAX_POINTS // len(trace.channels))
    kept = sorted({i for channel in trace.channels for i in extremes(channel.values, share)})
    channels = tuple(
        channel.model_copy(update={"values": tuple(channel.values[i] for i in kept)}) for channel in trace.channels
    )
    return trace.model_copy(update={"t_s": tuple(trace.t_s[i] for i in kept), "channels": channels})

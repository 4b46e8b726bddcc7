"""What a reader can take away: the run file inside the page, thinned and packed, and the command that makes it anew."""

from __future__ import annotations

import base64
import gzip
import hashlib
import shlex
from collections.abc import Sequence

from joulemark.reports.model.anonymous import pathless
from joulemark.reports.model.power import MAX_POINTS, extremes
from joulemark.suite.records import RunFile, Trace


def packed(run_file: RunFile) -> str:
    """The run file's JSON with thinned traces, gzipped without a time stamp, in base64."""
    document = thinned(run_file).model_dump_json().encode()
    return base64.b64encode(gzip.compress(document, compresslevel=9, mtime=0)).decode()


def checksum(packed: str) -> str:
    """SHA-256 of the file that the page saves from `packed`: what a reader of it can hash too."""
    return hashlib.sha256(gzip.decompress(base64.b64decode(packed))).hexdigest()


def again(run_files: Sequence[RunFile], recomputed: Sequence[str], anonymous: bool) -> str:
    """The command that makes the page of `run_files`, all of them, with the carbon options that were typed."""
    options = [pathless(word) for word in recomputed] if anonymous else list(recomputed)
    if all(run_file.settings.allow_estimates for run_file in run_files):
        options.append("--allow-estimates")
    if anonymous:
        options.append("--anonymous")
    return shlex.join(["joulemark", "report", *(run_file.run.id for run_file in run_files), *options])


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

"""What a reader can take from a page: the packed run file, and the command that makes the page again."""

from __future__ import annotations

import base64
import gzip
import hashlib
import shlex
from collections.abc import Sequence

from joulemark.reports.anonymous import anonymous_options
from joulemark.reports.thinning import extremes
from joulemark.suite.records import RunFile, Trace

MAX_POINTS = 2000
"""Points of one channel in the run file that a page embeds."""


def packed(run_file: RunFile) -> str:
    """Return the run file's JSON with thinned traces, gzipped without a time stamp, in base64."""
    document = thinned(run_file).model_dump_json().encode()
    return base64.b64encode(gzip.compress(document, compresslevel=9, mtime=0)).decode()


def checksum(packed: str) -> str:
    """Return the SHA-256 of the file that the page saves from `packed`."""
    return hashlib.sha256(gzip.decompress(base64.b64decode(packed))).hexdigest()


def report_command(run_files: Sequence[RunFile], recomputed: Sequence[str], anonymous: bool) -> str:
    """Return the command that makes the page of `run_files` again, with the carbon options `recomputed`."""
    options = anonymous_options(recomputed) if anonymous else list(recomputed)
    if all(run_file.settings.allow_estimates for run_file in run_files):
        options.append("--allow-estimates")
    if anonymous:
        options.append("--anonymous")
    return shlex.join(["joulemark", "report", *(run_file.run.id for run_file in run_files), *options])


def thinned(run_file: RunFile) -> RunFile:
    """Return `run_file` with at most MAX_POINTS points per channel; readings and summaries stay as computed."""
    return run_file.model_copy(update={"traces": tuple(_thin(trace) for trace in run_file.traces)})


def _thin(trace: Trace) -> Trace:
    """Keep the minimum and maximum of each stretch of each channel; the channels of a trace share their times."""
    if len(trace.t_s) <= MAX_POINTS or not trace.channels:
        return trace
    points_per_channel = max(2, MAX_POINTS // len(trace.channels))
    kept = sorted({i for channel in trace.channels for i in extremes(channel.values, points_per_channel)})
    channels = tuple(
        channel.model_copy(update={"values": tuple(channel.values[i] for i in kept)}) for channel in trace.channels
    )
    return trace.model_copy(update={"t_s": tuple(trace.t_s[i] for i in kept), "channels": channels})

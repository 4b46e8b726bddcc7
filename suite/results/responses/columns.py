"""The columns of the table that only a run with responses has. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Final

from joulemark.suite.records import Case, Quantity, Response, RunFile
from joulemark.suite.results.columns import ColumnSpec

NO_RESPONSE: Final = "not of phase response"

_Read = Callable[[Response], Quantity]


def _column(
    key: str, title: str, unit: str, tooltip: str, path: str, higher: bool = False, prefix_of: str = ""
) -> ColumnSpec:
    """Return the column of the quantity at `path` of a response."""
    return ColumnSpec(key, title, unit, tooltip, "higher" if higher else "lower", _reader(unit, path), prefix_of)


def _reader(unit: str, path: str) -> Callable[[Case], Quantity]:
    def quantity(case: Case) -> Quantity:
        if case.response is None:
            return Quantity(value=None, unit=unit, n=0, reason=NO_RESPONSE)
        part, _, rest = path.partition(".")
        if getattr(case.response, part) is None:
            return Quantity(value=None, unit=unit, n=0, reason="a response has one token, which comes from prefill")
        found: Quantity = attrgetter(rest)(getattr(case.response, part))
        return found

    return quantity


RESPONSE_COLUMNS: Final = (
    _column(
        "ttft_p50_s",
        "Time to first token",
        "s",
        "From the call that reads the prompts to their first new tokens on the host: the median of responses.",
        "ttft_s.p50",
    ),
    _column(
        "ttft_p99_s",
        "Time to first token, p99",
        "s",
        "The 99th percentile of responses.",
        "ttft_s.p99",
        prefix_of="ttft_p50_s",
    ),
    _column(
        "tpot_p50_s",
        "Time per output token",
        "s",
        "From one token of a sequence to its next one, a decoded token, on the host: the median.",
        "tpot_s.p50",
    ),
    _column(
        "tpot_p99_s",
        "Time per output token, p99",
        "s",
        "The 99th percentile of decoded tokens.",
        "tpot_s.p99",
        prefix_of="tpot_p50_s",
    ),
    _column(
        "prompt_tokens_per_s",
        "Prompt",
        "tokens/s",
        "Prompt tokens read per second, in a window of prefill alone.",
        "tokens_per_s.prompt",
        higher=True,
    ),
    _column(
        "decoded_tokens_per_s",
        "Decoding",
        "tokens/s",
        "Tokens decoded per second, in a window of decoding alone: new tokens but the first, which prefill gives.",
        "tokens_per_s.output",
        higher=True,
    ),
    _column(
        "energy_per_prompt_token_j",
        "Energy per prompt token",
        "J",
        "Gross energy of prefill alone, per token of the prompts.",
        "energy_j.per_prompt_token",
    ),
    _column(
        "energy_per_decoded_token_j",
        "Energy per decoded token",
        "J",
        "Gross energy of decoding alone, per decoded token: new tokens but the first. Energy per item is that of a "
        "whole response per new token, prefill included.",
        "energy_j.per_output_token",
    ),
    _column(
        "energy_per_response_j",
        "Energy per response",
        "J",
        "Gross energy of one response to one request, prefill and decoding.",
        "energy_j.per_response",
    ),
)


def response_columns(run_file: RunFile) -> Iterator[ColumnSpec]:
    """Yield the columns that `run_file` has beside the usual ones."""
    if any(case.response is not None for case in run_file.cases):
        yield from RESPONSE_COLUMNS

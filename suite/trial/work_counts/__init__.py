"""Counts of what one step does, in a stage of its own after all that is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Counts = Mapping[str, float | str]
"""Counts of one step by the keys of `records.COUNTS`: a number, or the reason why there is none."""
STAGE: Final = "count_work"
"""The stage of a trial that counts; a failure in it costs only the counts that it has not reached."""

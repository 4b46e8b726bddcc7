"""The id of a run."""

from __future__ import annotations

import secrets
from datetime import datetime


def new_run_id(started_at: datetime) -> str:
    """Return an id for a run that starts at `started_at`, UTC: ids sort by time and end in four random hex digits."""
    return f"{started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"

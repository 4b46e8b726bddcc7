"""Reading and writing run files. Whatever is wrong with one becomes a single line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from joulemark.suite.errors import UsageError
from joulemark.suite.records.atomic import atomic_replacement
from joulemark.suite.records.checks import contradictions
from joulemark.suite.records.run import SCHEMA_VERSION, RunFile


def read(path: Path) -> RunFile:
    """The run file at `path`. UsageError where it is missing, broken, truncated, foreign or of the future."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not a run file: it is not UTF-8 text.") from None
    return parse(text, str(path))


def parse(text: str, name: str) -> RunFile:
    """The run file in `text`; `name` stands for it in errors (UsageError)."""
    if not text.strip():
        raise UsageError(f"{name} is empty: the run that should have written it may have been cut off.")
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f"line {error.lineno} column {error.colno}" if isinstance(error, json.JSONDecodeError) else "its depth"
        raise UsageError(f"{name} is not JSON (at {where}): it is broken or truncated.") from None
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version is None:
        raise UsageError(f"{name} is JSON, but not a joulemark run file: it has no schema_version.")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise UsageError(f"{name} has schema_version {version!r}, which no joulemark ever wrote.")
    if version > SCHEMA_VERSION:
        raise UsageError(
            f"{name} has schema_version {version}; this joulemark reads up to {SCHEMA_VERSION}. Upgrade joulemark."
        )
    try:
        run_file = RunFile.model_validate_json(text)
    except ValidationError as error:
        raise UsageError(f"{name} is not a valid run file: {_first(error)}") from None
    if wrong := list(contradictions(run_file)):
        where, what = wrong[0]
        raise UsageError(f"{name} is not a valid run file: at {where}: {what}{_more(len(wrong))}.")
    return run_file


def _first(error: ValidationError) -> str:
    """The first of a validation's complaints, as one line."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the document"
    found = json.dumps(first.get("input"), default=str)
    shown = found if len(found) <= 60 else found[:57] + "..."
    return f"at {where}: {first['msg']}, found {shown}{_more(error.error_count())}."


def _more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""


def write(run_file: RunFile, path: Path) -> None:
    """Write `run_file` to `path` in one step: a reader sees the old file or the new one, never a half.

    UsageError where the path cannot be written.
    """
    write_text(path, run_file.model_dump_json(indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically and durably. UsageError where the path cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_replacement(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}.") from None


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a run file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **RunFile.model_json_schema()}

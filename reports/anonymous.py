"""Remove host name, user names and paths from a run file."""

from __future__ import annotations

import re
from typing import Any

from joulemark.suite.records import RunFile

HIDDEN = "(left out)"

# An absolute path: a slash, `~/` or a drive that does not continue a word, URL or other path. Case ids and units
# (`image/s`) have their slashes after a letter and do not match.
_PATH = re.compile(r"(?<![\w.:/~\\<])(?:~[\w-]*/|[A-Za-z]:[\\/]|/)(?=[\w.~-])[^\s'\"`,;:()\[\]{}<>|]*")
# The kernel's own trees are the same on all machines, and say where a reading comes from.
_KERNEL_PATH = re.compile(r"/(?:sys|proc|dev)(?:/|$)")
# Fields whose values belong to the format or name the workload: a host called `gpu` must not change them.
_FIXED_FIELDS = {
    *("id", "workload", "variant", "workload_version", "size", "phase", "framework", "mode", "device", "precision"),
    *("allocator", "item", "status", "kind", "component", "unit", "basis", "signal", "when", "isolation", "steady"),
    *("compile_cache", "code", "reason_code", "fingerprint", "profile", "sensor", "keyword", "suite_version"),
}
_USER = re.compile(r"(?:/home/|/Users/|[A-Za-z]:\\Users\\)([\w.-]+)")


def anonymous(run_file: RunFile, host: int = 1) -> RunFile:
    """Return `run_file` without host name, user names, boot ids, and paths other than the kernel's.

    User names are those found in the path of a home directory anywhere in the file. `host` numbers the hosts of a
    report, so that two machines remain two.
    """
    data = run_file.model_dump(mode="json")
    text = run_file.model_dump_json()
    names = set(_USER.findall(text.replace("\\\\", "\\"))) | {run_file.machine.hostname}
    names.discard("")
    alternatives = "|".join(re.escape(name) for name in sorted(names))
    data = _clean(data, re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)") if names else None)
    data["machine"]["hostname"] = HIDDEN if host == 1 else f"{HIDDEN} {host}"
    for segment in data["run"]["segments"]:
        segment["boot_id"] = ""
    return RunFile.model_validate(data)


def without_paths(text: str) -> str:
    """Return `text` with all paths hidden but /sys, /proc and /dev."""
    return _PATH.sub(lambda path: path[0] if _KERNEL_PATH.match(path[0]) else HIDDEN, text)


def _clean(value: Any, names: re.Pattern[str] | None) -> Any:
    """Return `value` with paths and `names` hidden in every text; keys stay, since they belong to the format."""
    if isinstance(value, str):
        text = without_paths(value)
        return names.sub(HIDDEN, text) if names else text
    if isinstance(value, dict):
        return {key: _clean(item, None if key in _FIXED_FIELDS else names) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, names) for item in value]
    return value

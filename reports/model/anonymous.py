"""Leaving out who and where: host name, user names and paths."""

from __future__ import annotations

import re
from typing import Any

from joulemark.suite.records import RunFile

HIDDEN = "(left out)"

# An absolute path: a slash, `~/` or a drive, where no word, URL or other path goes on. Case ids and units (`image/s`)
# have their slashes after a letter and are no paths.
_PATH = re.compile(r"(?<![\w.:/~\\<])(?:~[\w-]*/|[A-Za-z]:[\\/]|/)(?=[\w.~-])[^\s'\"`,;:()\[\]{}<>|]*")
# The kernel's own trees are alike on all machines, and say where a reading comes from.
_KERNEL = re.compile(r"/(?:sys|proc|dev)(?:/|$)")
# Fields whose texts are names of the format or of the work: a host called `gpu` must not change them.
_NAMES = {
    *("id", "workload", "variant", "workload_version", "size", "phase", "framework", "mode", "device", "precision"),
    *("allocator", "item", "status", "kind", "component", "unit", "basis", "signal", "when", "isolation", "steady"),
    *("compile_cache", "code", "reason_code", "fingerprint", "profile", "sensor", "keyword", "suite_version"),
}
_USER = re.compile(r"(?:/home/|/Users/|[A-Za-z]:\\Users\\)([\w.-]+)")


def anonymous(run_file: RunFile, host: int = 1) -> RunFile:
    """`run_file` without host name, user names, boot ids, and paths other than the kernel's (/sys, /proc, /dev).

    User names are those that stand in a home directory's path anywhere in the file. `host`: which of several hosts
    it is, since two stay two under no name.
    """
    data = run_file.model_dump(mode="json")
    text = run_file.model_dump_json()
    names = set(_USER.findall(text.replace("\\\\", "\\"))) | {run_file.machine.hostname}
    names.discard("")
    words = (
        re.compile(r"(?<!\w)(?:" + "|".join(re.escape(name) for name in sorted(names)) + r")(?!\w)") if names else None
    )
    data = _clean(data, words)
    data["machine"]["hostname"] = HIDDEN if host == 1 else f"{HIDDEN} {host}"
    for segment in data["run"]["segments"]:
        segment["boot_id"] = ""
    return RunFile.model_validate(data)


def pathless(text: str) -> str:
    """`text` without paths other than the kernel's."""
    return _PATH.sub(lambda found: found[0] if _KERNEL.match(found[0]) else HIDDEN, text)


def _clean(value: Any, words: re.Pattern[str] | None) -> Any:
    """`value` with every text in it cleaned; keys stay, since they are names of the format."""
    if isinstance(value, str):
        text = pathless(value)
        return words.sub(HIDDEN, text) if words else text
    if isinstance(value, dict):
        return {key: _clean(item, None if key in _NAMES else words) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, words) for item in value]
    return value

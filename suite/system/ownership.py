"""Whose a file is: what it says is done in this user's name only if nobody else could have written it."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path


def distrust(path: Path) -> str | None:
    """Return why `path` is not to be trusted; None if it is this user's or root's and not writable by everybody."""
    facts = os.stat(path)
    if facts.st_uid not in (os.geteuid(), 0):
        return f"the file belongs to {user_name(facts.st_uid)}"
    return "every user may write the file" if facts.st_mode & stat.S_IWOTH else None


def user_name(uid: int) -> str:
    """Return the name of a user, or the number where there is none."""
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"

"""Commands of a user who is not root and not in /etc/passwd."""

from __future__ import annotations

USER = 54321
# Reading may need more than the user has: this interpreter may lie in root's home.
CAPABILITIES = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
AS_USER = ("setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", *CAPABILITIES)

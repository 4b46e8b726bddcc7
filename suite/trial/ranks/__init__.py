"""Trials of several ranks: processes, or devices of one process, that work on one case together.

`processes` starts the ranks and joins their results; `group` is what they agree by; `common_window` is pure. A strategy
is one file, named in `frameworks.toml`: an adapter that the trial drives as it does any other.
"""

"""What a person types: one verb, one file; the docstring of `command` is its help.

Heavy imports stand inside functions, so that `joulemark --help` needs none of them.
"""

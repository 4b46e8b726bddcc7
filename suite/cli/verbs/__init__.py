"""The verbs of the command line, one file each; the docstring of `command` is its help.

Imports of large packages stand inside functions, so that `joulemark --help` needs none of them.
"""

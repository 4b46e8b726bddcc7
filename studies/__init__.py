"""The experiments behind the figures in docs/: `python -m studies.NAME`."""

import benchmarks  # noqa: F401  puts the test helpers on the path

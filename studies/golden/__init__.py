"""Golden values of the workloads, from independent implementations: `python -m studies.golden [WORKLOAD...] [--check]`.

A module a family of workloads. Each has `GOLDEN`: functions by id of workload, each of which yields a `Golden` a
phase. They import nothing of `joulemark.workloads` but the draw of weights in `tests/support/golden_values.py`:
hyper-parameters of size `tiny` are written out anew. Needs the extra `reference`.
"""

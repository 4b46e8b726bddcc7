"""Mutation study: faults planted in a copy of the package, one at a time, and the first test that fails.

`python -m studies.mutants [ID...]` runs all faults, or those named, two at a time. It writes docs/results/mutants.json
and the table in docs/audit.md, and ends with 1 where a fault is not detected. The faults are in the TOML files here.
"""

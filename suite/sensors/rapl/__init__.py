"""RAPL, the energy counters of Intel's and AMD's CPUs, read through Linux powercap or through perf events."""

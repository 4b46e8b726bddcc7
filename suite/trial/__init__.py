"""One case -> one trial: fresh processes, timing, counters, and the frameworks' adapters."""

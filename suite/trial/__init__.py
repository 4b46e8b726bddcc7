"""One trial of a case: fresh processes, timing, counters, and the frameworks' adapters."""

"""Results of a run: assembled, summarised, checked, tabulated, stored and exported."""

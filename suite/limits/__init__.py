"""Power limits and clocks: set for a sweep's trials, read back, and restored however the sweep ends."""

"""Windows cut out of longer ones; the warm-up, window and rounds that detect the smallest change in a given time."""

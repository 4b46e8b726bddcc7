"""Windows cut out of longer ones, and the warm-up, window and rounds that detect the smallest change in a given time."""

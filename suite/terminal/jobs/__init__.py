"""Jobs of several nodes in a terminal: their progress, and the nodes side by side."""

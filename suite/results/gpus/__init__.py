"""A case on all GPUs at once: each GPU, what neighbours cost, and what is said of it."""

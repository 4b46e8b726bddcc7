"""GPUs: which there are, what the frameworks call them, and the sensors that read their power."""

"""The same case on all GPUs of a machine, alone and at once: which are slow, and what they cost each other. Pure."""

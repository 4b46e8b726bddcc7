"""Multi-head self-attention layer."""

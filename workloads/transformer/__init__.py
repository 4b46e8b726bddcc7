"""Encoder-decoder transformer."""

"""Recurrent encoder-decoder with attention."""

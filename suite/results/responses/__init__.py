"""Responses of language models: tokens per second, time to first token and per output token, joules a token."""

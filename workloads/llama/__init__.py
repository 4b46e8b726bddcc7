"""Llama: a decoder of language models as they are run."""

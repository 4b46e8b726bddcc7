"""A job of several nodes from their run files: every joule once, and what is missing. Pure."""

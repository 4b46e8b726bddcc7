"""Reference machines: kept runs of known machines that are part of the package."""

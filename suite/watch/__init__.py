"""Power, energy and emissions of this machine while they happen: for a terminal, and for Prometheus."""

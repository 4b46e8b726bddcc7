"""`run --on`: measure on the nodes of a cluster."""

"""What cases come to over their trials."""

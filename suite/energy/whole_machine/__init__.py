"""What a sensor of the whole machine says of the others: which share of it they saw, and their gains. Pure."""

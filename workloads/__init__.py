"""What is run: each workload once as a framework-neutral spec, and once in each framework; knows nothing of `suite`."""

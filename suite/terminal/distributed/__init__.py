"""What the terminal shows of several GPUs, ranks, nodes and jobs."""

"""What the workloads of one framework share. A spec imports none of them."""

"""What the operating system gives to all of the harness: a clock, standard streams, and files to read and write."""

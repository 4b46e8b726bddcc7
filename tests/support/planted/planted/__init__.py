"""A workload of another package that does more work than it should: each size but `none` has one fault planted."""

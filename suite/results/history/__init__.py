"""Many runs over time: rows of results, kept as Parquet beside the run files, and the series they form."""

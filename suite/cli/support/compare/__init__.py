"""What `compare`, `ab` and `check` share: a comparison of runs or arms, as data and as text."""

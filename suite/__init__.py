"""The harness: plans cases, measures them in fresh processes, and turns samples and times into records."""

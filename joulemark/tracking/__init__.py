"""Measurements of a user's program in experiment trackers: `track=` of a meter and of the callbacks."""

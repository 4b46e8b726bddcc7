"""Input pipeline of an image classifier."""

"""Deep autoencoder."""

"""Two-dimensional Fourier transform and inverse."""

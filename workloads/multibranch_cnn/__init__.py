"""Convolutional network of several branches and two outputs."""

"""Estimates of CPU and memory power without a sensor: a chain of evidence, with codecarbon's model beside it."""

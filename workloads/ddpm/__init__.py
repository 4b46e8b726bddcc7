"""Denoising diffusion model."""

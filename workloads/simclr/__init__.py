"""Contrastive learning of images."""

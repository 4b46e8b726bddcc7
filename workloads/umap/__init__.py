"""UMAP."""

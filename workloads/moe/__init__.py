"""A mixture of experts: Llama whose blocks choose among several MLPs."""

"""Ray as the engine: an actor on each node, which has the node for itself.

`ray_engine` is the head's side. Ray itself runs in `bridge`, a process of its own: where a cluster cannot be joined, or
is lost, Ray ends its process.
"""

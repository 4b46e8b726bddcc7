"""A run on several nodes: an engine that people have (Ray) starts `joulemark run` on each, in a process of its own.

Nothing here schedules or carries data between nodes. `cluster_run` drives an engine and keeps what comes home in a job
file; `on_node` is what an engine runs on a node.
"""

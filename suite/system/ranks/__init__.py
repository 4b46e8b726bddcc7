"""The processes of a job: which one this is, by its launcher's variables, and which of those on this node have died."""

from joulemark.suite.system.ranks.launchers import find
from joulemark.suite.system.ranks.rank import Rank, job_name

__all__ = ["Rank", "find", "job_name"]

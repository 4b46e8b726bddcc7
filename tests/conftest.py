"""What holds for all tests."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from hypothesis import settings

# The same examples each time: what fails is the change. JOULEMARK_RANDOM=1 tries others. A machine that measures
# something else at the same time is slow now and then: that is no failure of a property.
settings.register_profile("joulemark", deadline=None, derandomize="JOULEMARK_RANDOM" not in os.environ)
settings.load_profile("joulemark")

# Tests import `studies` and `benchmarks`. Last, so that joulemark is the one that is installed.
sys.path.append(str(Path(__file__).parents[1]))

# A shell's job in the background ignores SIGINT, nohup(1) SIGHUP, and so does all that they start: what these signals
# do could not be tested.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

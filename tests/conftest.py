"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# A machine that measures something else at the same time is slow now and then: that is no failure of a property.
settings.register_profile("joulemark", deadline=None)
settings.load_profile("joulemark")

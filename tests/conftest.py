"""How property-based tests run: times are not judged, and a run that decides on a change is repeatable."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("nova", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("nova"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "nova")

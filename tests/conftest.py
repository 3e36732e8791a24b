"""What holds for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No test may fail because the machine is slow.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

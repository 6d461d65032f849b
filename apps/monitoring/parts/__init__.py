"""The parts of an installation and how each is: looked at by the probes, the metrics and ``doctor``."""

from apps.monitoring.parts.part import Part, State

__all__ = ["Part", "State"]

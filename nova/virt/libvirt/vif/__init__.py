"""Connecting guests' interfaces to the host's networks."""

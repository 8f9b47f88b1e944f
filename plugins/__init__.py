"""Plugins for livekit-agents that are not tied to this worker."""

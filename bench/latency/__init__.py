"""Voice to voice at the listener's ear: this agent against a stock livekit-agents worker in the same run."""

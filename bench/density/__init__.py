"""How many calls a core carries, and what one costs: this agent against a stock livekit-agents worker."""

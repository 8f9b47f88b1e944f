"""A self-hosted LiveKit voice agent whose calls and chat are one conversation."""

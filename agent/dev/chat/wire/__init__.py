"""The WebSocket: its frames in both dialects, one connection's session and outbox, and the hub that shows messages."""

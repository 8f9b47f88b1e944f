"""The chat thread as the worker sees it: protocol, connection, history, courier, bridge."""

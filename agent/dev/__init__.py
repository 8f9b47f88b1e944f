"""The embedded stack of `python -m agent dev`: LiveKit, chat, models and page on one machine, for development."""

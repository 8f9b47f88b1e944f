"""Where a call's CPU goes: `python -m bench profile`."""

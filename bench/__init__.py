"""Measurements against others, one command each: `python -m bench --help`."""

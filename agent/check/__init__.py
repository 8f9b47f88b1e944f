"""`python -m agent check`: is everything that a call needs there, and if not, what to do about it."""

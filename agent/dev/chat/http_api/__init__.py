"""What is asked over HTTP: history, sign-in, room tokens, the page, and what holds for every request."""

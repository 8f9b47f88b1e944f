"""The server's own answers to what is typed while no worker is attached."""

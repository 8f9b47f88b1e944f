"""`python -m agent`."""

from agent.cli import app

if __name__ == "__main__":  # the job processes import this module again
    app()

"""`python -m tests.scenes [NAME…]`."""

import sys

from agent.replay.virtual_time import install

if __name__ == "__main__":
    install()  # before anything imports livekit-agents
    from tests.scenes.command import main

    sys.exit(main())

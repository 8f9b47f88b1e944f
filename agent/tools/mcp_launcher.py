"""Starts a server of the Model Context Protocol with nothing but the environment that is named, and ends with it.

    python -I mcp_launcher.py PARENT NAMES COMMAND [ARGUMENT…]

It stands between the call and the server: the library would pass some variables of its own, and a call that is killed
could not end its servers. NAMES are the names of the variables to pass, with commas; their values come in the
environment, where other users cannot read them. When the process PARENT is gone, the whole group gets SIGTERM, and
SIGKILL two seconds later. Standard library only: it starts in 30 ms.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

GRACE_S = 2.0  # between SIGTERM and SIGKILL
POLL_S = 0.2
NOT_FOUND = 127


def end_group() -> None:
    """End the group that this process leads, itself included."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(0, signal.SIGKILL)


def main(arguments: list[str]) -> int:
    """Run the server until it ends, and return its exit status; see above for the arguments."""
    parent, names, command, *rest = arguments
    environment = {name: os.environ[name] for name in names.split(",") if name}
    program = shutil.which(command)  # by our own PATH: the server need not have one
    if program is None:
        return NOT_FOUND
    server = subprocess.Popen([program, *rest], env=environment)
    # The server alone holds the pipes: when it ends, the call reads the end of its output at once.
    for descriptor in (0, 1):
        os.close(descriptor)
    while (status := server.poll()) is None:
        if os.getppid() != int(parent):
            end_group()
        time.sleep(POLL_S)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

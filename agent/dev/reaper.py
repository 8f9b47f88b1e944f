"""Ends the stack's processes when the supervisor itself was killed and could not do so.

The supervisor starts this file as a script with a pipe as standard input, and writes a line for each process group
that it starts (`+123`) or has ended (`-123`). When the pipe closes, the supervisor is gone: the groups that are left
get SIGTERM, and SIGKILL two seconds later. After an orderly end none is left. Standard library only: it starts in
30 ms. (A parent-death signal would do on Linux alone, and would not reach a child's own children.)
"""

import contextlib
import os
import signal
import sys
import time

GRACE = 2.0  # seconds between SIGTERM and SIGKILL


def end_groups(groups: set[int]) -> None:
    """End these process groups, first in kindness."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for group in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)
        if groups and number == signal.SIGTERM:
            time.sleep(GRACE)


def main() -> None:
    """Keep the list until the supervisor is gone, then end what is on it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when the supervisor does, not when a terminal says so
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    end_groups(groups)


if __name__ == "__main__":
    main()

"""`python -m agent.worker.health_check [PORT [PATH]]` exits with 0 while a service of this container is well.

By default that is the worker, and well means alive: `GET /livez` on `WORKER_PORT`.
"""

import http.client
import os
import sys
from collections.abc import Sequence

TIMEOUT_S = 4.0


def main(arguments: Sequence[str]) -> int:
    """Ask the service on this machine; the exit status.

    Args:
        arguments: the port and the path, where they are others than the worker's.
    """
    port = arguments[0] if arguments else os.environ.get("WORKER_PORT") or "8081"
    path = arguments[1] if len(arguments) > 1 else "/livez"
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        return 0 if connection.getresponse().status == http.client.OK else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

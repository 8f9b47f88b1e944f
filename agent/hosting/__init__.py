"""Several calls in one process, each on a thread and an event loop of its own: what is the same for all is there once.

livekit-agents runs each job in a process of its own, or all of them in threads of the worker's own. Here is what lies
between: `Hosts` gives each job a place (`Seat`) in a process (`HostProcess`) that has room for some.
"""

from agent.hosting.hosts import Hosts

__all__ = ["Hosts"]

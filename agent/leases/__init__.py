"""One agent in one room: who may speak there and write its turns, and until when.

A lease has an epoch: whoever takes a room over raises it, and the transaction that writes a turn checks it, so that an
agent that was only slow cannot write after it was replaced (livekit/agents 4753 reports two workers on one job).
"""

from agent.leases.lease import Holder, Lease, LeaseError, LeaseStore, Tenancy
from agent.leases.sqlite import SqliteLeases
from agent.leases.tenure import RoomTaken, Tenure

__all__ = ["Holder", "Lease", "LeaseError", "LeaseStore", "RoomTaken", "SqliteLeases", "Tenancy", "Tenure"]

"""The journal: a turn is durable here before anything announces it.

`Journal` is what the rest of the worker knows; `sqlite` keeps one file for each host, shared by its job processes;
`opening` says what happens when that cannot be used, `upkeep` keeps it from growing for ever.
"""

from agent.journal.journal import Backlog, Fence, Fenced, Journal, JournalDamaged, JournalEntry, JournalError
from agent.journal.outbox import Aftercare, Notice, Outbox
from agent.journal.records import CallEvent, CallRecord
from agent.journal.sqlite import SqliteJournal

__all__ = [
    "Aftercare",
    "Backlog",
    "CallEvent",
    "CallRecord",
    "Fence",
    "Fenced",
    "Journal",
    "JournalDamaged",
    "JournalEntry",
    "JournalError",
    "Notice",
    "Outbox",
    "SqliteJournal",
]

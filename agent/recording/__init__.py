"""Recordings of calls: off unless asked for, announced, silent where it is private, and deleted in time."""

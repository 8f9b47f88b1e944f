"""Tests that hold for both stores of the journal."""

from tests.support.stores import journal, redis_server, redis_store, store

__all__ = ["journal", "redis_server", "redis_store", "store"]

"""How a dispatch is laid over its profile: JSON Merge Patch (RFC 7396).

Objects are merged member by member. Everything else that the dispatch says, a list too, takes the place of what the
profile says; null takes it away, so that the default is back.
"""

from collections.abc import Mapping
from typing import Any


def merge_patch(target: object, patch: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Merge Patch (RFC 7396, section 2)."""
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value) if isinstance(value, Mapping) else value
    return merged

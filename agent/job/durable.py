"""What of a dispatch may be written to the disk: all but the person's token, and what nobody reads."""

import json

from agent.job.metadata import read_object
from agent.job.unpod import IGNORED, KNOWN_BY

TOKENS = ("token", "user_token")  # of the user, as we and as Unpod call it


def durable(metadata: str) -> str:
    """The metadata of a dispatch that a worker has taken, without the user's token.

    Raises:
        JobError: the metadata cannot be read.
    """
    members = read_object(metadata)
    if KNOWN_BY in members:
        members = {key: value for key, value in members.items() if key not in IGNORED}
    if isinstance(user := members.get("user"), dict):
        members["user"] = {key: value for key, value in user.items() if key not in TOKENS}
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))

"""SECURITY.md: each claim has a test that exists, and the limits are the true ones."""

import re

import pytest

from agent.brains import typed_messages
from agent.call.room_text import MAX_OPEN
from agent.chat import frames, history
from agent.dev.chat.room_tokens import LIFETIME
from agent.job import metadata, profile_yaml
from agent.webhook import post
from tests.deploy.files import ROOT

DOCS = (ROOT / "SECURITY.md").read_text()


def test_every_test_that_is_named_exists() -> None:
    """A claim without proof is found."""
    sources = "\n".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", DOCS))
    assert len(named) > 30
    assert [name for name in sorted(named) if f"def {name}(" not in sources] == []


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (typed_messages.MAX_CHARACTERS == 20_000, "20,000 characters"),
        ((typed_messages.BURST, typed_messages.INTERVAL_S) == (5, 1.0), "five at once, then one a second"),
        (MAX_OPEN == 4, "four texts of the room"),
        ((metadata.MAX_METADATA_BYTES, metadata.MAX_DEPTH) == (64 * 1024, 16), "64 KiB, 16 levels deep"),
        (profile_yaml.MAX_PROFILE_BYTES == 64 * 1024, "| a profile | 64 KiB |"),
        (frames.MAX_FRAME_BYTES == 16 * 1024 * 1024, "16 MiB, unpacked"),
        ((history.MAX_PAGES, history.MAX_PAGE_BYTES) == (500, 32 * 1024 * 1024), "500 pages of 32 MiB"),
        (post.MAX_ANSWER_BYTES == 64 * 1024, "| an answer of a webhook | 64 KiB"),
        (LIFETIME.total_seconds() == 600, "ten minutes"),
    ],
)
def test_the_limits_are_the_true_ones(limit: bool, words: str) -> None:
    """A limit that is changed is changed in the document, too."""
    assert limit
    assert words in DOCS

"""Signing: what a receiver checks, and secrets that are refused."""

import base64
import re
import time
from pathlib import Path
from typing import Any

import pytest

from agent.webhook.signature import parse_secret, signature_headers, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = parse_secret(SECRET)
BODY = b'{"test": 2432232314}'


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the reference libraries (standard-webhooks, tests of each language) comes out byte by byte."""
    headers = signature_headers(KEY, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_receiver_takes_what_is_ours_and_fresh() -> None:
    """The untouched request passes, also beside the signature of another key, as while a secret is changed."""
    headers = signature_headers(KEY, "evt_1", 1_000, BODY)
    assert verify(KEY, headers, BODY, now=1_100)
    both = {**headers, "webhook-signature": f"v1,AAAA {headers['webhook-signature']}"}
    assert verify(KEY, both, BODY, now=1_100)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "evt_2"},
        {"webhook-timestamp": "1001"},
        {"webhook-timestamp": "²"},
        {"webhook-timestamp": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "ü"},
        {"webhook-signature": ""},
    ],
)
def test_a_receiver_refuses_what_was_changed(changed: dict[str, str]) -> None:
    """Id, time stamp and signature belong together."""
    headers = signature_headers(KEY, "evt_1", 1_000, BODY)
    assert not verify(KEY, {**headers, **changed}, BODY, now=1_000)


def test_a_receiver_refuses_other_words_other_keys_and_old_requests() -> None:
    """What is replayed later than five minutes is refused, too."""
    headers = signature_headers(KEY, "evt_1", 1_000, BODY)
    assert not verify(KEY, headers, BODY + b" ", now=1_000)
    assert not verify(parse_secret("whsec_" + base64.b64encode(b"x" * 24).decode()), headers, BODY, now=1_000)
    assert not verify(KEY, headers, BODY, now=1_301)
    assert not verify(KEY, headers, BODY, now=699)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "short", "whsec_c2hvcnQ=", "whsec_" + "A" * 200, "not base64 at all!"]
)
def test_a_secret_that_protects_nothing_is_refused(secret: str) -> None:
    """It must be base64 of 24 to 64 bytes; the message does not hold it."""
    with pytest.raises(ValueError, match="base64") as caught:
        parse_secret(secret)
    assert len(secret) < 6 or secret not in str(caught.value)


def test_the_documented_code_verifies_what_we_send() -> None:
    """A receiver that copies it takes ours, and nothing that was changed or is old."""
    docs = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", docs, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    now = int(time.time())
    headers = signature_headers(KEY, "evt_1", now, BODY)
    assert names["is_ours"](SECRET, headers, BODY)
    assert not names["is_ours"](SECRET, headers, BODY + b" ")
    assert not names["is_ours"](SECRET, {**headers, "webhook-id": "evt_2"}, BODY)
    assert not names["is_ours"](SECRET, signature_headers(KEY, "evt_1", now - 301, BODY), BODY)

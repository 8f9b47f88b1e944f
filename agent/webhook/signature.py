"""Signing as the Standard Webhooks specification 1.0.0 has it, so that its libraries verify what we send.

The signature is HMAC-SHA256 over `id.timestamp.body` with the bytes that follow `whsec_` in base64
(github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Signature scheme").
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

PREFIX = "whsec_"
VERSION = "v1"
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"


def parse_secret(text: str) -> bytes:
    """The key of a secret as it is written: `whsec_` and base64, the prefix may be missing.

    Raises:
        ValueError: the text is no such secret; the message does not hold it.
    """
    try:
        key = base64.b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"must be {PREFIX} followed by base64") from None
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError(f"must hold {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes, in base64")
    return key


def signature_headers(key: bytes, notice_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers that make a request verifiable.

    Args:
        key: see `parse_secret`.
        notice_id: the same for each attempt; the receiver's idempotency key.
        timestamp: of this attempt, in seconds since the epoch.
        body: exactly what is posted.
    """
    return {
        ID_HEADER: notice_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: _sign(key, notice_id, str(timestamp), body),
    }


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: float, tolerance_s: float = 300.0) -> bool:
    """Whether a request is ours and fresh: what a receiver does, compared in constant time.

    Args:
        key: see `parse_secret`.
        headers: of the request, with lower-case names.
        body: exactly as it came.
        now: seconds since the epoch.
        tolerance_s: how far the sender's clock may be off, in seconds.
    """
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    if not timestamp.isascii() or not timestamp.isdecimal() or abs(now - int(timestamp)) > tolerance_s:
        return False
    expected = _sign(key, headers.get(ID_HEADER, ""), timestamp, body)
    given = headers.get(SIGNATURE_HEADER, "").split(" ")
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)


def _sign(key: bytes, notice_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{notice_id}.{timestamp}.".encode() + body
    return f"{VERSION},{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"

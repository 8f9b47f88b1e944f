"""Malformed frames by the hundred thousand: each becomes a typed value that the rest of the program can hold.

Seeded: `FUZZ_SEED` repeats a run, `FUZZ_COUNT` makes it longer. `python -m pytest tests/unit/test_frames_fuzz.py -s`
shows the seed, and how many frames of each kind there were.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from agent.chat import frames, unpod
from agent.chat.frames import MAX_FRAME_BYTES, Ignored, Malformed, ServerError, ThreadMessage, TypingNotice
from agent.turns import to_timestamp

COUNT = int(os.environ.get("FUZZ_COUNT", "100000"))

MESSAGE = {
    "id": "turn_1",
    "seq": 3,
    "conversation_id": "42",
    "role": "assistant",
    "text": "Grüße, 你好 \U0001f600",
    "channel": "voice",
    "interrupted": True,
    "reply_to": "turn_0",
    "created_at": "2026-01-01T00:00:00.000Z",
}
FREE_FIELD = json.dumps({key: MESSAGE[key] for key in ("id", "role", "channel", "interrupted", "reply_to")})
BLOCK = {
    "block_id": "b1",
    "thread_id": "t1",
    "seq_number": 5,
    "user": {"id": 7, "role": "agent"},
    "block": "text",
    "block_type": "text_msg",
    "created": "2026-01-01T00:00:00+00:00",
    "data": {"content": "0 ", "conversation_type": FREE_FIELD},
}
VALID: list[dict[str, Any]] = [
    {"event": "message", "type": "message", "payload": MESSAGE, "message": MESSAGE},
    {"event": "message", "payload": "a bare string"},
    {"type": "message", "message": {"text": "the least"}},
    {"event": "typing", "payload": {"role": "user", "active": True, "text": "so far"}},
    {"event": "error", "payload": {"code": "bad_frame", "message": "no", "id": "turn_1"}},
    {"event": "error", "message": "no", "errors": {"data": ["required"]}},
    {"event": "pong"},
    {"event": "block", "data": BLOCK, "timestamp": 1767225600.5},
]
ODD_VALUES: list[Any] = [
    None, True, False, 0, -1, 2**31, 2**63, -(2**63) - 1, 10**4000, 0.0, -0.0, 1e308, float("nan"), float("inf"),
    "", " ", "\x00", "\ud800", "\udfff\ud800", "\U0010ffff", "x" * 5000, "message", "user", "{", "NaN",
    "9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00+23:59", "2026-02-30T00:00:00Z", "2026-W01-1",
    [], {}, [[]], {"text": {"text": "x"}}, [None] * 50, {"": ""}, {"\ud83d": 1},
]  # fmt: skip
ODD_TEXTS = [
    "NaN", "-Infinity", "1e999", "9" * 5000,
    "[" * 50_000, '{"a":' * 20_000, "[" * 50_000 + "]" * 50_000, '{"a":' * 2_000 + "1" + "}" * 2_000, "-",
    '"\\ud83d"', '"\\u0000"', '"\\x41"', '"\x01"', "'text'", "// no", "undefined", ",", "}", "\ufeff", "\u2028",
]  # fmt: skip

Mutation = Callable[[random.Random, dict[str, Any]], str | bytes]


def as_text(frame: Any) -> str:
    """The frame as JSON; what JSON cannot say is written as Python does, and lone surrogates as escapes or raw."""
    return json.dumps(frame, ensure_ascii=len(str(frame)) % 2 == 0)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every member of a frame."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(*path, key) for key, _ in inner] + [found for key, item in inner for found in places(item, (*path, key))]


def with_member(frame: dict[str, Any], path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(frame))
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return copy


def truncated(rng: random.Random, frame: dict[str, Any]) -> bytes:
    """Cut anywhere, in the middle of a character too."""
    raw = as_text(frame).encode("utf-8", "surrogatepass")
    return raw[: rng.randrange(len(raw))]


def flipped(rng: random.Random, frame: dict[str, Any]) -> bytes:
    """Some bits of some bytes are others."""
    raw = bytearray(as_text(frame).encode("utf-8", "surrogatepass"))
    for _ in range(rng.randint(1, 8)):
        raw[rng.randrange(len(raw))] ^= rng.randint(1, 255)
    return bytes(raw)


def spliced(rng: random.Random, frame: dict[str, Any]) -> bytes:
    """A part of one frame inside another, or bytes of chance."""
    raw = as_text(frame).encode("utf-8", "surrogatepass")
    other = as_text(rng.choice(VALID)).encode() if rng.random() < 0.5 else rng.randbytes(rng.randint(1, 40))
    start, end = sorted(rng.sample(range(len(raw) + 1), 2))
    return raw[:start] + other[rng.randrange(len(other)) :] + raw[end:]


def with_odd_members(rng: random.Random, frame: dict[str, Any]) -> str:
    """One to three members are of another type, or out of all bounds."""
    for _ in range(rng.randint(1, 3)):
        frame = with_member(frame, rng.choice(places(frame)), rng.choice(ODD_VALUES))
    return as_text(frame)


def with_odd_text(rng: random.Random, frame: dict[str, Any]) -> str:
    """A member is no JSON at all, or JSON of a depth or length that parsers dislike."""
    odd = ODD_TEXTS[rng.randrange(len(ODD_TEXTS))] if rng.random() < 0.2 else rng.choice(ODD_TEXTS[:4] + ODD_TEXTS[8:])
    return as_text(with_member(frame, rng.choice(places(frame)), "@@")).replace('"@@"', odd, 1)


def with_double_keys(rng: random.Random, frame: dict[str, Any]) -> str:
    """The same key twice, with another value."""
    path = rng.choice(places(frame))
    again = f"{json.dumps(str(path[-1]))}:{as_text(rng.choice(ODD_VALUES))}"
    text = as_text(frame)
    where = rng.choice([place for place, letter in enumerate(text) if letter == "{"])
    return f"{text[: where + 1]}{again}{text[where + 1 :] if text[where + 1] == '}' else ',' + text[where + 1 :]}"


def otherwise_encoded(rng: random.Random, frame: dict[str, Any]) -> bytes:
    """Not UTF-8, or not only."""
    encoding = rng.choice(["utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "utf-8-sig", "cp037"])
    return as_text(frame).encode(encoding, "replace")


def noise(rng: random.Random, frame: dict[str, Any]) -> bytes | str:
    """No frame at all."""
    if rng.random() < 0.5:
        return rng.randbytes(rng.randint(0, 200))
    return "".join(chr(rng.choice([rng.randrange(128), rng.randrange(0x11_0000)])) for _ in range(rng.randint(0, 60)))


MUTATIONS: list[Mutation] = [
    truncated, flipped, spliced, with_odd_members, with_odd_members, with_odd_text, with_double_keys,
    otherwise_encoded, noise,
]  # fmt: skip


def check_usable(value: object) -> None:
    """A decoded value can be stored, hashed, sent on and logged."""
    assert isinstance(value, ThreadMessage | TypingNotice | ServerError | Malformed | Ignored)
    if isinstance(value, ThreadMessage):
        for text in (value.text, value.id or "", value.reply_to or ""):
            text.encode()
        assert value.seq is None or 0 <= value.seq < 2**63
        assert isinstance(value.interrupted, bool)
        if value.created_at is not None:
            to_timestamp(value.created_at)
    elif isinstance(value, TypingNotice):
        assert isinstance(value.active, bool)
        (value.text or "").encode()
    elif isinstance(value, ServerError):
        assert value.code.isprintable()
        assert len(value.code) <= 64
        (value.message + (value.id or "")).encode()


@pytest.mark.timeout(300)
def test_no_malformed_frame_raises_in_either_dialect() -> None:
    """Truncated, flipped, spliced, mistyped, nested, doubled, re-encoded: a value of the protocol, every time."""
    seed = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(2**32))
    print(f"\nFUZZ_SEED={seed} FUZZ_COUNT={COUNT}")  # noqa: T201 - for whoever repeats the run
    rng = random.Random(seed)
    kinds: Counter[str] = Counter()
    for number in range(COUNT):
        mutate = rng.choice(MUTATIONS)
        raw = mutate(rng, rng.choice(VALID))
        for decode in (frames.decode, unpod.decode):
            try:
                value = decode(raw)
                check_usable(value)
            except Exception as error:
                raise AssertionError(
                    f"FUZZ_SEED={seed}, frame {number} ({mutate.__name__}), {decode.__module__}: {raw[:300]!r}"
                ) from error
            kinds[type(value).__name__] += 1
    print(dict(kinds))  # noqa: T201
    assert kinds["Malformed"] > 0
    assert kinds["ThreadMessage"] > 0


def test_a_frame_beyond_the_limit_is_not_even_parsed() -> None:
    """16 MiB, whatever is in it."""
    huge = '{"event":"message","payload":"' + "x" * MAX_FRAME_BYTES + '"}'
    assert frames.decode(huge) == Malformed("too large")
    assert unpod.decode(huge) == Malformed("too large")


def test_the_frames_that_are_mutated_are_valid() -> None:
    """Else the fuzzing would not come near what matters."""
    values = [frames.decode(as_text(frame)) for frame in VALID[:7]] + [unpod.decode(as_text(VALID[7]))]
    assert not [value for value in values if isinstance(value, Malformed)]
    assert isinstance(values[7], ThreadMessage)
    assert (values[7].id, values[7].text) == ("turn_1", "0")

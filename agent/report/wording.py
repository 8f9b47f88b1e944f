"""Numbers and hostile words as people can read them."""

import re
from datetime import UTC, datetime
from decimal import Decimal

# What moves a terminal's cursor, changes its colours, or turns the reading direction of what follows.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """A text from outside with what cannot be seen made visible as U+FFFD; lines and tabs stay."""
    return _UNSEEN.sub("\ufffd", text)


def clock(seconds: float) -> str:
    """A moment of a call: `0:07.4`, `12:40.0`, `1:02:03.9`."""
    tenths = round(max(0.0, seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    shown = f"{rest // 10:02}.{rest % 10}"
    return f"{hours}:{minutes:02}:{shown}" if hours else f"{minutes}:{shown}"


def duration(seconds: float) -> str:
    """A length of time: `0.4 s`, `48 s`, `2 min 3 s`, `1 h 4 min`."""
    if seconds < 10:
        return f"{round(seconds, 1):g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def milliseconds(value: float) -> str:
    """`620 ms`, `1.24 s`."""
    return f"{round(value)} ms" if value < 1_000 else f"{value / 1_000:.2f} s"


def money(amount: Decimal, currency: str) -> str:
    """An amount with as many digits as say something: `0.0034 USD`, `1.20 USD`, `0 USD`."""
    if amount == 0:
        return f"0 {currency}"
    if amount >= 1:
        return f"{amount:,.2f} {currency}"
    digits = max(2, 1 - amount.adjusted())
    return f"{amount:.{digits}f} {currency}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 turn`, `3 turns`, `1,204 tokens`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def often(times: int) -> str:
    """`once`, `3 times`."""
    return "once" if times == 1 else f"{times:,} times"


def moment(seconds: float) -> str:
    """A time of day in the time zone of this machine, with the zone: `2026-11-24 22:27:05 UTC`."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def minute(seconds: float) -> str:
    """The same without seconds and zone, for lists: `2026-11-24 22:27`."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")

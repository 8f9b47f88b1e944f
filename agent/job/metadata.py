"""The border: a text that anybody may have written becomes plain JSON values, or an error that names the key.

Nothing here knows what a job is. Small, bounded work comes first, so that a hostile text costs little.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.job.problems import JobError, Location, named

MAX_METADATA_BYTES = 64 * 1024
MAX_DEPTH = 16
# Any number that a program of another language keeps exactly, and no conversion that takes long.
MAX_DIGITS = 15
WHAT = "job metadata"

# A string, closed or not, and what gives JSON its structure; the rest does not matter to a path.
TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}\[\]:,]', re.DOTALL)
SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Unusable:
    """Stands for a value that the parser met and that cannot be used."""

    why: str


def read_object(text: str) -> dict[str, Any]:
    """The object that a text of JSON holds; each value in it is plain.

    Raises:
        JobError: it is too large, too deep, no JSON object, or has a doubled key, a number that is none, or a text with
            NUL or half a surrogate pair; the key is named.
    """
    if len(text) > MAX_METADATA_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_METADATA_BYTES:
        raise JobError(f"{WHAT} is larger than {MAX_METADATA_BYTES} bytes{_near(text, MAX_METADATA_BYTES)}")
    if (path := _too_deep(text)) is not None:
        raise JobError(f"{WHAT}: key {named(path)} is nested deeper than {MAX_DEPTH} levels")
    try:
        data = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_whole_number,
            parse_float=_number,
            parse_constant=lambda _: _Unusable("is not a number"),
        )
    except json.JSONDecodeError as error:
        raise JobError(f"{WHAT} is not JSON (at character {error.pos + 1}{_near(text, error.pos)})") from None
    if not isinstance(data, dict):
        raise JobError(f"{WHAT} must be a JSON object")
    check_values(data, WHAT)
    return data


def check_values(data: object, what: str) -> None:
    """Raise a JobError that names the key when something in plain data cannot be used.

    Args:
        data: nested dicts and lists, at most `MAX_DEPTH` deep.
        what: the text that it comes from, in words.
    """
    for path, value in _values(data, ()):
        if isinstance(value, _Unusable):
            raise JobError(f"{what}: key {named(path)} {value.why}")
        if isinstance(value, float) and not math.isfinite(value):
            raise JobError(f"{what}: key {named(path)} is not a number")
        if isinstance(value, str) and ("\x00" in value or SURROGATE.search(value)):
            raise JobError(f"{what}: key {named(path)} holds the character NUL or half a surrogate pair")


def _values(value: object, path: Location) -> Iterator[tuple[Location, object]]:
    """All values, and the keys as values of themselves, with their paths."""
    match value:
        case dict():
            for key, inner in value.items():
                yield (*path, key), key
                yield from _values(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from _values(inner, (*path, index))
        case _:
            yield path, value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        result[key] = _Unusable("stands twice") if key in result else value
    return result


def _whole_number(digits: str) -> int | _Unusable:
    return int(digits) if len(digits) <= MAX_DIGITS else _Unusable("is too large a number")


def _number(digits: str) -> float | _Unusable:
    value = float(digits)
    return value if math.isfinite(value) else _Unusable("is too large a number")


def _near(text: str, position: int) -> str:
    """The key at a position, in words; none before the first."""
    path: list[int | str] = []
    for path in _paths(text[:position]):
        if len(path) > MAX_DEPTH:
            break
    return f", in key {named(path)}" if path else ""


def _too_deep(text: str) -> Location | None:
    """The key whose value is nested too deeply; JSON's own parser would give up without naming it."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return None
    return next((tuple(path) for path in _paths(text) if len(path) > MAX_DEPTH), None)


def _paths(text: str) -> Iterator[list[int | str]]:
    """The path of each place in a text that is JSON up to there, as it is read: one list, which goes on changing."""
    path: list[int | str] = []
    expects_key = False
    for match in TOKENS.finditer(text):
        token = match.group()
        if token in ("{", "["):
            path.append("" if token == "{" else 0)
            expects_key = token == "{"
        elif token in ("}", "]"):
            if path:
                path.pop()
            expects_key = False
        elif token == "," and path:
            if isinstance(last := path[-1], int):
                path[-1] = last + 1
            else:
                expects_key = True
        elif token.startswith('"') and expects_key:
            path[-1] = token.strip('"')
            expects_key = False
        yield path

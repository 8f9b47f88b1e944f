"""A profile's text: YAML of the simple kind, with errors that name the line and the key.

PyYAML reads the text into events; what they mean is decided here. Plain words are read as JSON and YAML 1.2 read them:
only `true` and `false` are truth values (`language: no` is text), and there are no dates. Tags are refused, and so are
anchors and aliases, with which a small text could stand for a huge one.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import ValidationError

from agent.job.merging import merge_patch
from agent.job.metadata import MAX_DEPTH, SURROGATE
from agent.job.problems import Location, ProfileError, describe, named
from agent.job.spec import Profile

MAX_PROFILE_BYTES = 64 * 1024
WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,14})")
NUMBER = re.compile(r"[-+]?[0-9]{1,15}\.[0-9]{1,15}")
WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


def parse_profile(text: str, where: str) -> Profile:
    """Read a profile.

    Args:
        text: YAML, or JSON, which is YAML too.
        where: the file or address, for messages.

    Raises:
        ProfileError: it cannot be used; the message names the place, the line and the key.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_PROFILE_BYTES:
        raise ProfileError(f"{where} is larger than {MAX_PROFILE_BYTES} bytes")
    reader = _Reader(where)
    try:
        members = reader.document(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise ProfileError(f"{where}, line {line}: not YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        raise ProfileError(f"{where} is not YAML (character {error.position + 1} is not allowed in a text)") from None
    try:
        return Profile.model_validate(merge_patch({}, members))  # a key without a value is as good as none
    except ValidationError as error:
        problems = describe(error, Profile, lambda location: f"line {reader.line_of(location)}: ")
        raise ProfileError(f"{where}, {problems}") from None


class _Reader:
    """Makes plain data of the events of one document, and remembers on which line each key stands.

    Args:
        where: the file or address, for messages.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._lines: dict[Location, int] = {}

    def document(self, events: Iterator[Any]) -> dict[str, Any]:
        """The mapping that the text holds; raises ProfileError when it is anything else."""
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if isinstance(start := next(events), yaml.MappingStartEvent):
                    members = self._value(start, events, ())
                    assert isinstance(members, dict)
                    next(events)  # the end of the document
                    if not isinstance(after := next(events), yaml.StreamEndEvent):
                        raise self._error(after, "a second document begins")
                    return members
                break
        raise ProfileError(f"{self._where} must be a mapping of keys and values, such as `agent:`")

    def line_of(self, location: Location) -> int:
        """The line of a key, or of the nearest one above it that is there; from 1."""
        while location and location not in self._lines:
            location = location[:-1]
        return self._lines.get(location, 1)

    def _value(self, event: Any, events: Iterator[Any], path: Location) -> object:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._error(event, "anchors and aliases are not supported")
        if event.tag is not None:
            raise self._error(event, "tags are not supported")
        if len(path) > MAX_DEPTH:
            raise self._error(event, f"key {named(path)} is nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        if SURROGATE.search(event.value):
            raise self._error(event, f"key {named(path)} holds half a surrogate pair")
        return _plain(event.value) if event.style is None else event.value

    def _mapping(self, events: Iterator[Any], path: Location) -> dict[str, object]:
        result: dict[str, object] = {}
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            name = self._value(key, events, path) if isinstance(key, yaml.ScalarEvent) else None
            if not isinstance(name, str):
                raise self._error(key, "a key must be text")
            if name in result:
                raise self._error(key, f"key {named((*path, name))} stands twice")
            self._lines[(*path, name)] = key.start_mark.line + 1
            result[name] = self._value(next(events), events, (*path, name))
        return result

    def _sequence(self, events: Iterator[Any], path: Location) -> list[object]:
        result: list[object] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            inner = (*path, len(result))
            self._lines[inner] = event.start_mark.line + 1
            result.append(self._value(event, events, inner))
        return result

    def _error(self, event: Any, why: str) -> ProfileError:
        return ProfileError(f"{self._where}, line {event.start_mark.line + 1}: {why}")


def _plain(word: str) -> object:
    """What a word without quotes means."""
    if word in WORDS:
        return WORDS[word]
    if WHOLE.fullmatch(word):
        return int(word)
    return float(word) if NUMBER.fullmatch(word) else word

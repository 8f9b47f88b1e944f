"""What is wrong with a job or a profile, in words that name the key and never the value."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

Location = tuple[int | str, ...]

# Further problems of the same text are counted: a message is for people, and a hostile text may have thousands.
MOST_PROBLEMS = 5
LONGEST_KEY = 100
PLAIN_WORDS = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "finite_number": "must be a number",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "mapping_type": "must be an object",
}


class JobError(ValueError):
    """A job's metadata cannot be used; the message names the key and never its value."""


class ProfileError(JobError):
    """A profile cannot be used; the message names where it is, the line, and the key."""


class ProfileNotFound(ProfileError):
    """There is no profile of this name."""


def describe(error: ValidationError, model: type[BaseModel], where: Callable[[Location], str] = lambda _: "") -> str:
    """What pydantic found, in our words and on one line: the first few problems, and how many more there are.

    Args:
        error: what pydantic raised.
        model: what was validated; an unknown key is compared with those that it has.
        where: what stands before each problem.
    """
    found = error.errors(include_url=False, include_input=False)
    words = []
    for problem in found[:MOST_PROBLEMS]:
        # pydantic marks a problem with a key itself.
        location: Location = tuple(part for part in problem["loc"] if part != "[key]")
        words.append(where(location) + _words(location, problem["type"], problem["msg"], model))
    more = len(found) - MOST_PROBLEMS
    return "; ".join(words) + (f"; and {more} more" if more > 0 else "")


def named(location: Iterable[int | str]) -> str:
    """The key of a place, in quotes, escaped and cut to a length that can be shown."""
    return quoted(".".join(str(part) for part in location))


def quoted(key: str) -> str:
    """A key in quotes; whatever is in it, the result can be printed."""
    return ascii(key if len(key) <= LONGEST_KEY else key[:LONGEST_KEY] + "...")


def _words(location: Location, kind: str, message: str, model: type[BaseModel]) -> str:
    key = named(location)
    if kind == "extra_forbidden":
        return f"unknown key {key}{_suggestion(location, model)}"
    if kind == "missing":
        return f"missing key {key}"
    words = PLAIN_WORDS.get(kind) or message.removeprefix("Value error, ").replace("Input should be", "must be")
    return f"key {key}: {words}"


def _suggestion(location: Location, model: type[BaseModel]) -> str:
    owner = _model_at(location[:-1], model)
    if owner is None:
        return ""
    close = difflib.get_close_matches(str(location[-1])[:LONGEST_KEY], owner.model_fields, n=1)
    return f" (did you mean {close[0]!r}?)" if close else f" (there are: {', '.join(owner.model_fields)})"


def _model_at(location: Location, model: type[BaseModel]) -> type[BaseModel] | None:
    for part in location:
        if (field := model.model_fields.get(str(part))) is None:
            return None
        inner = next((t for t in _types(field.annotation) if isinstance(t, type) and issubclass(t, BaseModel)), None)
        if inner is None:
            return None
        model = inner
    return model


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from _types(argument)

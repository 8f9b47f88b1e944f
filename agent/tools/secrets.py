"""Secrets of tools: named in a profile as `${NAME}`, read from the environment once, and never shown again."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,99})\}")
REDACTED = "[secret]"
# A shorter one would be found in every other word.
SHORTEST_REDACTED = 6
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class ToolConfigError(ValueError):
    """A tool of the profile cannot be used as it stands; the message names the tool and the key, never a value."""


@dataclass(frozen=True, slots=True, repr=False)
class Resolved:
    """A text whose references are filled in; its `repr` shows neither text nor secrets."""

    text: str
    secrets: frozenset[str]


def references(template: str) -> list[str]:
    """The names that a text refers to, in order."""
    return REFERENCE.findall(template)


def resolve(template: str, environment: Mapping[str, str], where: str) -> Resolved:
    """Fill in the references of a text.

    Args:
        template: the text as the profile has it.
        environment: the values by name.
        where: which key of which tool this is, for the error.

    Raises:
        ToolConfigError: a variable is not set, is empty, or holds a control character; it is named.
    """
    secrets: set[str] = set()

    def value(match: re.Match[str]) -> str:
        name = match[1]
        found = environment.get(name, "")
        if not found:
            raise ToolConfigError(f"{where} needs the environment variable {name}, which is not set")
        if _CONTROL.search(found):
            raise ToolConfigError(f"{where}: the environment variable {name} holds a control character")
        secrets.add(found)
        return found

    return Resolved(REFERENCE.sub(value, template), frozenset(secrets))


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets: a server may answer with what it was sent."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_REDACTED:
            text = text.replace(secret, REDACTED)
    return text

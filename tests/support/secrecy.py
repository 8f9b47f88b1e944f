"""Looks for what must never stand in a log: secrets, tokens, and what people say or type."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Any JSON Web Token, whoever made it: two parts of base64 that begin with {" each.
JWT = re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}")
# A password in an address.
URL_WITH_PASSWORD = re.compile(r"\w+://[^\s/@:]+:[^\s/@]+@")


@dataclass(frozen=True)
class Leak:
    """A line of a log that says too much."""

    number: int
    what: str
    line: str

    def __str__(self) -> str:
        return f"line {self.number} holds {self.what}: {self.line[:300]}"


def leaks(log: str, planted: Iterable[str]) -> list[Leak]:
    """The lines that hold a token, a password, or something that was planted, in whatever case it is written.

    Args:
        log: everything that was logged.
        planted: texts that are found nowhere by chance, such as secrets and unusual words that were said.
    """
    wanted = [text.lower() for text in planted]
    seen = "".join(log.lower().split())
    assert all(len(text) >= 6 for text in wanted), "too short to be found nowhere by chance"
    found = []
    for number, line in enumerate(log.splitlines(), 1):
        lower = line.lower()
        found += [Leak(number, repr(text), line) for text in wanted if text in lower]
        found += [Leak(number, "a token", line) for _ in JWT.finditer(line)]
        found += [Leak(number, "an address with a password", line) for _ in URL_WITH_PASSWORD.finditer(line)]
    # A table breaks a long text over several lines.
    return found or [Leak(0, repr(text), "broken over lines") for text in wanted if "".join(text.split()) in seen]


def assert_keeps_secrets(log: str, planted: Iterable[str]) -> None:
    """Fail, showing each line that says too much; an empty log proves nothing and fails too."""
    assert log.strip(), "nothing was logged at all"
    found = leaks(log, planted)
    assert not found, "\n".join(map(str, found))

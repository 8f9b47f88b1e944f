"""The one way in which a start fails: with a line that says what to do."""


class StartError(Exception):
    """The stack cannot start or go on. The message is one line: what is wrong and what to do about it."""


def one_line(text: str, limit: int = 300) -> str:
    """The text on one line of at most `limit` characters, as an error message quotes it."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def only_cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What failed first in a task group, without the group around it."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first

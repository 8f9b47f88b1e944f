"""An error as text for the log: where it happened and of which kind, without values that people may have said.

Python's own text holds the message of each error; that of a wrong value often holds the value, that of a library a
whole request or an address with its token.
"""

import traceback
from collections.abc import Iterator

# Their messages speak of the machine and the program.
TELLING = (OSError, RuntimeError, TypeError, AttributeError, AssertionError, ImportError, MemoryError)
OUR_PACKAGES = ("agent", "plugins")


def describe(error: BaseException) -> str:
    """The error in one line; its message only where it can hold no content."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    ours = kind.__module__.partition(".")[0] in OUR_PACKAGES
    builtin = kind.__module__ == "builtins" and isinstance(error, TELLING)
    message = " ".join(str(error).split()) if ours or builtin else ""
    return f"{name}: {message}" if message else name


def stack_of(error: BaseException) -> str:
    """The error with its stack and those that led to it, the first one first."""
    return "\n".join(_parts(error, set()))


def _parts(error: BaseException, seen: set[int]) -> Iterator[str]:
    if id(error) in seen:
        return
    seen.add(id(error))
    before = error.__cause__ if error.__cause__ is not None or error.__suppress_context__ else error.__context__
    if before is not None:
        yield from _parts(before, seen)
        yield "which led to:"
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):"
        yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    yield describe(error)
    if isinstance(error, BaseExceptionGroup):
        for number, part in enumerate(error.exceptions, 1):
            yield f"part {number} of {len(error.exceptions)}:"
            yield from _parts(part, seen)

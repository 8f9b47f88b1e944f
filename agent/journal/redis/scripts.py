"""The commands that run inside Redis, as one script: each takes its name and texts, and answers in texts."""

from importlib.resources import files

# In this order: each part uses what the ones before it define.
PARTS = ("keys", "liveness", "notices", "turns", "left", "calls", "outbox", "pruning", "leases", "run")

Argument = str | int | float | bool | None


def script() -> str:
    """The whole script."""
    folder = files("agent.journal.redis") / "lua"
    return "\n".join((folder / f"{part}.lua").read_text(encoding="utf-8") for part in PARTS)


def as_text(argument: Argument) -> str:
    """An argument as the script takes it: nothing is empty, true is 1, a float has all its digits."""
    if argument is None or argument is False:
        return ""
    if argument is True:
        return "1"
    return repr(argument) if isinstance(argument, float) else str(argument)

"""What was looked at and what came of it; no finding ever holds a secret, a query, or what somebody said."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


class Wrong(Exception):
    """Something does not work.

    Args:
        said: what is wrong.
        advice: what to do about it.
    """

    def __init__(self, said: str, advice: str) -> None:
        super().__init__(said)
        self.said = said
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one probe.

    Args:
        area: the part of the whole, such as "chat".
        subject: what was looked at there.
        where: its address without credentials, or its file; "" where there is none.
        ok: whether it is well.
        said: what was found.
        advice: what to do when it is not well.
        seconds: how long it took; None when nothing was asked of anybody.
    """

    area: str
    subject: str
    where: str
    ok: bool
    said: str
    advice: str = ""
    seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The finding for programs."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Probe:
    """Something to look at.

    Args:
        area: see `Finding`.
        subject: see `Finding`.
        where: see `Finding`.
        look: says what it found, or raises Wrong.
        advice: what to do when there is no answer in time.
    """

    area: str
    subject: str
    where: str
    look: Callable[[], Awaitable[str]]
    advice: str

    async def examine(self, timeout: float) -> Finding:
        """Look, for so many seconds at most; whatever goes wrong is a finding."""
        begun = time.monotonic()
        ok, advice = False, self.advice
        try:
            async with asyncio.timeout(timeout):
                said = await self.look()
            ok, advice = True, ""
        except Wrong as wrong:
            said, advice = wrong.said, wrong.advice
        except TimeoutError:
            said = f"no answer within {timeout:g} s"
        except Exception as error:  # noqa: BLE001 - it becomes a finding; its own text may hold a secret
            said = f"failed in a way that nobody expected ({type(error).__name__})"
        return Finding(self.area, self.subject, self.where, ok, said, advice, round(time.monotonic() - begun, 2))


async def examine_all(probes: Sequence[Probe], timeout: float) -> list[Finding]:
    """Look at everything at once; the findings come in the order of the probes."""
    return list(await asyncio.gather(*(probe.examine(timeout) for probe in probes)))

"""What happens in a run, from one seed: who says what, and what goes wrong after how many turns. Pure.

Nothing here depends on the clock. Processes do, so that two runs of one seed are alike but not the same.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from agent.dev.chat.faults import (
    AnyFault,
    CollidedPlaces,
    Deaf,
    DropAfterStoring,
    DropBeforeStoring,
    DropOnConnect,
    Freeze,
    IdsIgnored,
)
from agent.turns import Speaker

ACTIVE = 6  # calls at once
TURNS_EACH = 40  # of a conversation, about
WORDS = ("apple", "boat", "cloud", "door", "eagle", "fish", "garden", "house", "island", "jacket", "kettle", "lamp")


class Line(StrEnum):
    """A host with a journal, its jobs and its worker, and the line from there to the chat server.

    What is behind the third treats each frame as a new message, as the real unpod service does: a turn that is sent
    twice shows there. Its line breaks in every way but one: what was sent on a broken link never arrives late.
    """

    GUIDE = "guide"
    UNPOD = "unpod"
    FORGETFUL = "forgetful"

    @property
    def dialect(self) -> Literal["guide", "unpod"]:
        """How the chat server is spoken to."""
        return "guide" if self is Line.GUIDE else "unpod"


@dataclass(frozen=True)
class PlannedTurn:
    """Something that is said; its words occur once in a run."""

    id: str
    speaker: Speaker
    text: str


@dataclass(frozen=True)
class PlannedConversation:
    """A thread; `asks` if the chat's own backend answers in it, `attempts` is what its calls' connections are given."""

    id: str
    line: Line
    asks: bool
    attempts: int
    turns: tuple[PlannedTurn, ...]


@dataclass(frozen=True)
class Say:
    """Turns are said in a call; it is begun if there is none."""

    conversation: str
    turns: tuple[PlannedTurn, ...]


@dataclass(frozen=True)
class Type:
    """Somebody types in the thread."""

    conversation: str
    text: str


@dataclass(frozen=True)
class EndCall:
    """The user hangs up."""

    conversation: str


@dataclass(frozen=True)
class KillJob:
    """SIGKILL for the process of a call, if there is one."""

    conversation: str


@dataclass(frozen=True)
class Server:
    """SIGKILL for the chat server, or its next start."""

    runs: bool


@dataclass(frozen=True)
class Worker:
    """SIGKILL for a host's worker, or its next start."""

    line: Line
    runs: bool


@dataclass(frozen=True)
class Weather:
    """What a line does from now on; `amount` is bytes, seconds, or bytes a second."""

    line: Line
    kind: Literal["fine", "drop", "reset to client", "reset to server", "stall", "swallow", "delay", "slow", "refuse"]
    amount: float = 0.0


@dataclass(frozen=True)
class ServerFaults:
    """What the chat server does wrong from now on."""

    faults: tuple[AnyFault, ...]


Step = Say | Type | EndCall | KillJob | Server | Worker | Weather | ServerFaults


@dataclass(frozen=True)
class Plan:
    """A run; `always` are those faults of the server that are part of what it is, and hold to the end."""

    seed: int
    conversations: tuple[PlannedConversation, ...]
    steps: tuple[Step, ...]
    always: tuple[AnyFault, ...]

    @property
    def turns(self) -> int:
        """How many turns are said."""
        return sum(len(conversation.turns) for conversation in self.conversations)


def make_plan(seed: int, turns: int) -> Plan:
    """The run that belongs to a seed.

    Args:
        seed: any number.
        turns: how many turns are said, at least one for each conversation.
    """
    dice = random.Random(seed)
    conversations = _make_conversations(dice, turns)
    script = _Script(dice, conversations)
    return Plan(seed, conversations, tuple(script.steps()), script.always)


def _make_conversations(dice: random.Random, turns: int) -> tuple[PlannedConversation, ...]:
    count = max(len(Line), round(turns / TURNS_EACH))
    cuts = sorted(dice.sample(range(1, turns), count - 1))
    lengths = [end - begin for begin, end in zip([0, *cuts], [*cuts, turns], strict=True)]
    lines = list(Line)
    made = []
    for number, length in enumerate(lengths):
        name = f"c{number}"
        said = tuple(
            PlannedTurn(
                f"{name}-t{n}", dice.choice(list(Speaker)), f"{name} turn {n} {' '.join(dice.choices(WORDS, k=5))}"
            )
            for n in range(length)
        )
        asks, attempts = dice.random() < 0.3, dice.choice((4, 1000, 1000))
        made.append(PlannedConversation(name, lines[number % len(lines)], asks, attempts, said))
    return tuple(made)


class _Script:
    """Makes the steps of a plan."""

    def __init__(self, dice: random.Random, conversations: Sequence[PlannedConversation]) -> None:
        self._dice = dice
        self._conversations = conversations
        self._forgetful = [c.id for c in conversations if c.line is Line.FORGETFUL]
        # These two are ways of seeing: they hold for a whole run.
        self.always: tuple[AnyFault, ...] = tuple(IdsIgnored(conversation=name) for name in self._forgetful)
        if dice.random() < 0.5:
            self.always = (*self.always, CollidedPlaces(who="agent", every=dice.randint(2, 6)))
        self._said = 0
        self._steps: list[Step] = [ServerFaults(self.always)]
        # What ends after which number of turns.
        self._later: list[tuple[int, Step]] = []
        self._bad_lines: set[Line] = set()
        self._workers_down: set[Line] = set()
        self._server_down = False

    def steps(self) -> list[Step]:
        """All steps, the faults between the turns; what is broken at the end is not mended."""
        waiting = [(c, list(c.turns)) for c in self._conversations]
        active = [waiting.pop(0) for _ in range(min(ACTIVE, len(waiting)))]
        next_fault = self._dice.randint(2, 8)
        while active:
            chosen = self._dice.randrange(len(active))
            conversation, left = active[chosen]
            self._say(conversation, left)
            if not left:
                self._steps.append(EndCall(conversation.id))
                active.pop(chosen)
                if waiting:
                    active.append(waiting.pop(0))
            while self._later and self._later[0][0] <= self._said:
                self._end(self._later.pop(0)[1])
            if self._said >= next_fault and active:
                self._go_wrong([c.id for c, _ in active])
                next_fault = self._said + self._dice.randint(2, 8)
        return self._steps

    def _say(self, conversation: PlannedConversation, left: list[PlannedTurn]) -> None:
        count = min(len(left), self._dice.choice((1, 1, 2, 3, 8)))
        self._steps.append(Say(conversation.id, tuple(left[:count])))
        del left[:count]
        self._said += count
        if self._dice.random() < 0.1:
            self._steps.append(Type(conversation.id, f"{conversation.id} typed {self._said}"))

    def _go_wrong(self, active: Sequence[str]) -> None:
        kinds = {
            self._break_line: 9,
            self._confuse_server: 6,
            self._kill_job: 3,
            self._call_again: 2,
            self._kill_server: 1,
            self._kill_worker: 1,
        }
        (kind,) = self._dice.choices(list(kinds), list(kinds.values()))
        kind(active)

    def _kill_job(self, active: Sequence[str]) -> None:
        self._steps.append(KillJob(self._dice.choice(active)))

    def _call_again(self, active: Sequence[str]) -> None:
        """The user hangs up; the next thing that is said is said in another call."""
        self._steps.append(EndCall(self._dice.choice(active)))

    def _kill_server(self, active: Sequence[str]) -> None:
        if not self._server_down:
            self._server_down = True
            self._steps.append(Server(runs=False))
            self._after(self._dice.randint(5, 60), Server(runs=True))

    def _kill_worker(self, active: Sequence[str]) -> None:
        line = self._dice.choice(list(Line))
        if line not in self._workers_down:
            self._workers_down.add(line)
            self._steps.append(Worker(line, runs=False))
            self._after(self._dice.randint(5, 80), Worker(line, runs=True))

    def _break_line(self, active: Sequence[str]) -> None:
        line = self._dice.choice(list(Line))
        if line in self._bad_lines:
            return
        late = () if line is Line.FORGETFUL else (("stall", 0.0), ("delay", 0.3), ("slow", 4000.0))
        kind, most = self._dice.choice(
            (
                *(("drop", 0.0), ("reset to client", 600.0), ("reset to server", 600.0)),
                *(("swallow", 0.0), ("refuse", 0.0)),
                *late,
            )
        )
        amount = self._dice.uniform(most / 4, most)
        self._steps.append(Weather(line, kind, amount))
        if kind in ("stall", "swallow", "delay", "slow", "refuse"):
            self._bad_lines.add(line)
            self._after(self._dice.randint(10, 250), Weather(line, "fine"))

    def _confuse_server(self, active: Sequence[str]) -> None:
        dice = self._dice
        strikes: list[AnyFault] = []
        for _ in range(dice.randint(1, 3)):
            kind = dice.choice((DropBeforeStoring, DropAfterStoring, DropAfterStoring, DropOnConnect, Deaf, Freeze))
            fault = kind(
                who="agent",
                dialect=dice.choice((None, "guide", "unpod")),
                skip=dice.randint(0, 4),
                times=dice.randint(1, 3),
            )
            if isinstance(fault, Deaf):
                fault = fault.model_copy(update={"when": dice.choice(("post", "connect"))})
            strikes.append(fault)
        self._steps.append(ServerFaults((*self.always, *strikes)))

    def _after(self, turns: int, step: Step) -> None:
        self._later.append((self._said + turns, step))
        self._later.sort(key=lambda entry: entry[0])

    def _end(self, step: Step) -> None:
        match step:
            case Weather(line):
                self._bad_lines.discard(line)
            case Worker(line):
                self._workers_down.discard(line)
            case Server():
                self._server_down = False
        self._steps.append(step)

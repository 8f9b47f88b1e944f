"""The faults of a running server: which of the plan strikes now, and how often each kind was caused."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from agent.dev.chat.credentials import Kind, Principal
from agent.dev.chat.faults import Fault, FaultPlan, Strike, Who
from agent.dev.chat.wire.dialect import DialectName

AnyStrike = TypeVar("AnyStrike", bound=Strike)
AnyKind = TypeVar("AnyKind", bound=Fault)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an occasion is about."""

    dialect: DialectName
    who: Who
    conversation_id: str

    @classmethod
    def of(cls, dialect: DialectName, principal: Principal, conversation_id: str) -> "Subject":
        """The subject that a connection or a request is."""
        return cls(dialect, "agent" if principal.kind is Kind.AGENT else "user", conversation_id)


class Faults:
    """The plan of a running server; `switch` changes it at any time."""

    def __init__(self, plan: FaultPlan | None = None) -> None:
        self._caused: Counter[str] = Counter()
        self.switch(plan or FaultPlan())

    @property
    def plan(self) -> FaultPlan:
        """What goes wrong now."""
        return self._plan

    @property
    def caused(self) -> dict[str, int]:
        """How often each kind was caused, under all plans so far; kinds that never were are not there."""
        return dict(self._caused)

    def switch(self, plan: FaultPlan) -> None:
        """Follow another plan from now on; its `skip` and `times` count from here."""
        self._plan = plan
        self._chances = [_Chance(f, random.Random(f"{plan.seed} {n}")) for n, f in enumerate(plan.faults)]

    def count(self, kind: str) -> None:
        """A fault was caused."""
        self._caused[kind] += 1

    def find(self, kind: type[AnyKind], subject: Subject) -> AnyKind | None:
        """The first fault of a kind that is meant for a subject; this is no occasion."""
        return next((f for f in self._plan.faults if isinstance(f, kind) and _meant(f, subject)), None)

    def strike(
        self, kind: type[AnyStrike], subject: Subject, when: Callable[[AnyStrike], bool] = lambda fault: True
    ) -> AnyStrike | None:
        """The fault of a kind that strikes at this occasion, counted as caused; None when none does.

        Args:
            kind: its class.
            subject: whom the occasion is about.
            when: whether it is an occasion of a fault at all.
        """
        for chance in self._chances:
            fault = chance.fault
            if isinstance(fault, kind) and _meant(fault, subject) and when(fault) and chance.takes(fault):
                self.count(fault.kind)
                return fault
        return None


class _Chance:
    """What became of one fault's occasions since its plan was switched on."""

    def __init__(self, fault: Fault, dice: random.Random) -> None:
        self.fault = fault
        self._dice = dice
        self._occasions = 0
        self._struck = 0

    def takes(self, fault: Strike) -> bool:
        self._occasions += 1
        if self._occasions <= fault.skip or self._struck == fault.times:
            return False
        if fault.probability < 1 and self._dice.random() >= fault.probability:
            return False
        self._struck += 1
        return True


def _meant(fault: Fault, subject: Subject) -> bool:
    return (
        fault.dialect in (None, subject.dialect)
        and fault.who in (None, subject.who)
        and fault.conversation in (None, subject.conversation_id)
    )

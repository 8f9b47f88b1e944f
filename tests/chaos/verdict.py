"""What came of a run: the thread against the journal, and both against what was said. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ThreadRecord:
    """One conversation after a run; turns are known by their words, which occur once.

    Args:
        conversation: which one.
        planned: what was to be said, in order.
        journal: what the journal holds, in its order.
        thread: what the thread holds, in its order, messages of others included.
    """

    conversation: str
    planned: Sequence[str]
    journal: Sequence[str]
    thread: Sequence[str]


@dataclass(frozen=True)
class CallRecord:
    """What one call was told of its thread.

    Args:
        name: which call.
        conversation: its thread.
        told: everything that it was told, what stood there at first included.
        whole: whether it lived, and its connection worked, until the end of the run.
    """

    name: str
    conversation: str
    told: Sequence[str]
    whole: bool


@dataclass
class Verdict:
    """Everything that must not be; each entry names the turn or message."""

    not_durable: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    told_twice: list[str] = field(default_factory=list)
    not_told: list[str] = field(default_factory=list)
    turns: int = 0

    @property
    def good(self) -> bool:
        """Whether nothing of it is."""
        return not any(self.problems().values())

    def problems(self) -> dict[str, list[str]]:
        """By name."""
        return {
            "not durable": self.not_durable,
            "lost": self.lost,
            "repeated": self.repeated,
            "out of order": self.out_of_order,
            "told twice": self.told_twice,
            "not told": self.not_told,
        }


def judge(threads: Sequence[ThreadRecord], calls: Sequence[CallRecord]) -> Verdict:
    """Compare."""
    verdict = Verdict()
    for record in threads:
        _judge_thread(record, verdict)
    typed = {record.conversation: [text for text in record.thread if " typed " in text] for record in threads}
    for call in calls:
        counts = Counter(text for text in call.told if " typed " in text)
        verdict.told_twice += [f"{call.name}: {text}" for text, count in counts.items() if count > 1]
        if call.whole:
            missed = [text for text in typed[call.conversation] if text not in counts]
            verdict.not_told += [f"{call.name}: {text}" for text in missed]
    return verdict


def _judge_thread(record: ThreadRecord, verdict: Verdict) -> None:
    journal, planned = set(record.journal), set(record.planned)
    shown = [text for text in record.thread if text in planned]
    counts = Counter(shown)
    verdict.turns += len(counts)
    verdict.not_durable += [text for text in record.planned if text not in journal]
    verdict.lost += [text for text in record.journal if text not in counts]
    verdict.repeated += [text for text, count in counts.items() if count > 1]
    verdict.out_of_order += _misplaced(list(counts), [text for text in record.journal if text in counts])
    verdict.out_of_order += _misplaced(list(record.journal), [text for text in record.planned if text in journal])


def _misplaced(shown: Sequence[str], expected: Sequence[str]) -> list[str]:
    """Which stand before something that comes before them."""
    place = {text: number for number, text in enumerate(expected)}
    latest, misplaced = -1, []
    for text in shown:
        if place[text] < latest:
            misplaced.append(text)
        latest = max(latest, place[text])
    return misplaced

"""The events of a call in words: pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.journal import CallEvent
from agent.journal.records import Detail
from agent.recording.events import KIND as RECORDING
from agent.recording.events import Status
from agent.report.wording import milliseconds, printable
from agent.usage.entries import KIND as USAGE

STAGES = {"stt": "hearing", "llm": "the language model", "tts": "the voice"}
NOT_RECORDED = frozenset({Status.NOT_STARTED, Status.FAILED})
TOOL_OK = frozenset({"ok", "started", "asked"})


class Weight(StrEnum):
    """How much something matters to whoever reads the report."""

    GOOD = "good"
    NOTE = "note"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of the journal, ready to be read.

    Attributes:
        number: counted from 1, in order.
        offset_s: seconds after the call began.
        at: seconds since the epoch.
        kind: the event's kind.
        weight: how much it matters.
        text: what happened.
        details: as the journal keeps them.
    """

    number: int
    offset_s: float
    at: float
    kind: str
    weight: Weight
    text: str
    details: Mapping[str, Detail]


# The model of an error when no model of the stage could do it (see agent.model_trouble).
ALL = "all"


def happenings(events: Iterable[CallEvent], started_at: float) -> tuple[Happening, ...]:
    """All events but those of usage, which are summed up elsewhere."""
    told = (event for event in events if event.kind != USAGE)
    return tuple(
        Happening(
            number, event.at - started_at, event.at, event.kind, _weight(event), printable(_text(event)), event.details
        )
        for number, event in enumerate(told, 1)
    )


def stage_name(stage: Detail) -> str:
    """What a stage is called; an unknown one as it is."""
    return STAGES.get(str(stage), str(stage))


def _weight(event: CallEvent) -> Weight:
    details = event.details
    if event.kind == "error":
        return Weight.BAD if details.get("model") == ALL else Weight.WARNING
    if event.kind == "fallback":
        return Weight.WARNING
    if event.kind == "tool":
        return Weight.NOTE if details.get("status") in TOOL_OK else Weight.BAD
    if event.kind == RECORDING:
        return Weight.WARNING if details.get("status") in NOT_RECORDED else Weight.NOTE
    return Weight.BAD if event.kind == "journal" else Weight.NOTE


def _text(event: CallEvent) -> str:
    known = {
        "error": _error,
        "fallback": _fallback,
        "recovery": _recovery,
        "tool": _tool,
        "journal": _journal,
        RECORDING: _recording,
    }
    words = known.get(event.kind)
    return words(event.details) if words is not None else f"{event.kind}: {_rest(event.details)}"


def _error(details: Mapping[str, Detail]) -> str:
    name, model = stage_name(details.get("stage", "something")), details.get("model", ALL)
    who = f"every model for {name} failed" if model == ALL else f"{name} ({model}) failed"
    return f"{who}: {details.get('why', 'unknown error')}"


def _fallback(details: Mapping[str, Detail]) -> str:
    stage = f" for {stage_name(details['stage'])}" if "stage" in details else ""
    given_up, next_one = details.get("from", "a model"), details.get("to", "the next model")
    return f"{given_up} was given up{stage} ({details.get('why', 'unknown error')}); {next_one} takes over"


def _recovery(details: Mapping[str, Detail]) -> str:
    stage = f" for {stage_name(details['stage'])}" if "stage" in details else ""
    return f"{details.get('model', 'a model')} answers again{stage}"


def _tool(details: Mapping[str, Detail]) -> str:
    name = details.get("tool", "a tool")
    status = str(details.get("status", ""))
    took = details.get("duration_ms")
    after = f" after {milliseconds(took)}" if isinstance(took, int | float) else ""
    words = {
        "ok": f"{name} answered{after}",
        "started": f"{name} begins",
        "asked": f"{name} waits for a yes of the caller",
        "unknown": f"{name} did not answer{after}; it may have taken effect",
    }
    return words.get(status, f"{name} failed{after}: {status.replace('_', ' ')}")


def _recording(details: Mapping[str, Detail]) -> str:
    status, why = str(details.get("status", "")), details.get("why", "unknown error")
    words: dict[str, str] = {
        Status.NOT_STARTED: f"the call is not recorded: {why}",
        Status.STARTED: "the call is recorded from here on",
        Status.PAUSED: f"the recording is silent from here on ({why})",
        Status.RESUMED: "the recording goes on",
        Status.ENDED: "the recording ends",
        Status.FAILED: f"the recording breaks off: {why}",
    }
    return words.get(status, f"recording: {status}")


def _journal(details: Mapping[str, Detail]) -> str:
    return f"the journal failed {details.get('failed', 'some')} times; turns or events may be missing here"


def _rest(details: Mapping[str, Detail]) -> str:
    return ", ".join(f"{key} {value}" for key, value in details.items())

"""Whether a scene went as it must: what was witnessed beside what is expected. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tests.scenes.clips import transcript
from tests.scenes.script import Expectation, Scene
from tests.support.wer import word_error_rate, words

# Of the words that a clip holds, the recogniser may get so many wrong.
WORD_ERRORS = 0.35


@dataclass(frozen=True, slots=True)
class WitnessedTurn:
    """A turn of the conversation; `at` in seconds from the start."""

    speaker: str
    text: str
    at: float
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What happened in a scene.

    Args:
        moments: when what the caller did began and ended, in seconds from the start, as `ID.start` and `ID.end`.
        agent: when the agent was heard, as starts and ends in seconds.
        turns: the conversation.
        seconds: how long the scene lasted.
        ended: when the agent ended the call by itself, if it did.
    """

    moments: Mapping[str, float]
    agent: Sequence[tuple[float, float]]
    turns: Sequence[WitnessedTurn]
    seconds: float
    ended: float | None = None

    def moment(self, name: str) -> float | None:
        """When a moment was; None for one that did not come."""
        if name in ("start", "end"):
            return 0.0 if name == "start" else self.seconds
        if name.startswith("agent."):
            _, number, edge = name.split(".")
            index = int(number) - 1
            return self.agent[index][edge == "end"] if index < len(self.agent) else None
        return self.moments.get(name)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one expectation.

    Args:
        expected: the expectation.
        holds: whether all is as the scene says that it is today.
        as_wanted: whether what is wanted holds.
        found: what was found, in words.
        after_ms: how long after the moment that it is counted from it happened first, if it did.
    """

    expected: Expectation
    holds: bool
    as_wanted: bool
    found: str
    after_ms: int | None = None


def check(scene: Scene, witnessed: Witnessed, *, slack_ms: int | None = None) -> list[Verdict]:
    """The verdict on each expectation of a scene.

    Args:
        scene: the scene.
        witnessed: what happened.
        slack_ms: for a room: how much longer everything may take. There what is not as wanted today may be so, or not.
    """
    clips = {said.id: transcript(said.clip) for said in scene.say}
    if slack_ms is None:
        return [_judge(expected, clips, witnessed) for expected in scene.expect]
    verdicts = (_judge(_slackened(expected, slack_ms), clips, witnessed) for expected in scene.expect)
    return [replace(verdict, holds=verdict.holds or verdict.as_wanted) for verdict in verdicts]


def _slackened(expected: Expectation, slack_ms: int) -> Expectation:
    today = expected.today
    if today is not None and today.within_ms is not None:
        today = today.model_copy(update={"within_ms": today.within_ms + slack_ms})
    within_ms = None if expected.within_ms is None else expected.within_ms + slack_ms
    return expected.model_copy(update={"within_ms": within_ms, "today": today})


def _judge(expected: Expectation, clips: Mapping[str, str], witnessed: Witnessed) -> Verdict:
    begin = witnessed.moment(expected.after)
    end = witnessed.moment(expected.before) if expected.before is not None else witnessed.seconds
    if begin is None or end is None:
        missing = expected.after if begin is None else expected.before
        return _with_today(expected, False, f"`{missing}` never came", None)
    happened = _happenings(expected, clips, witnessed, begin, end)
    after_ms = round((happened[0] - begin) * 1000) if happened else None
    if expected.within_ms is not None and expected.count is None and not expected.absent:
        return _judge_time(expected, after_ms, expected.within_ms)
    if expected.within_ms is not None:
        happened = [at for at in happened if at <= begin + expected.within_ms / 1000]
    times = ", ".join(f"{at:.2f} s" for at in happened) or "never"
    if expected.absent:
        holds = not happened
    else:
        holds = len(happened) == expected.count if expected.count is not None else bool(happened)
    return _with_today(expected, holds, f"happened: {times}", after_ms)


def _judge_time(expected: Expectation, after_ms: int | None, wanted: int) -> Verdict:
    found = "never happened" if after_ms is None else f"after {after_ms} ms"
    holds = after_ms is not None and after_ms <= wanted
    if expected.today is None or expected.today.within_ms is None or holds:
        return _with_today(expected, holds, found, after_ms)
    enough = after_ms is not None and after_ms <= expected.today.within_ms
    return Verdict(expected, enough, False, found, after_ms)


def _with_today(expected: Expectation, holds: bool, found: str, after_ms: int | None) -> Verdict:
    """A ratchet: what is said not to hold today must be taken out when it does."""
    if expected.today is None:
        return Verdict(expected, holds, holds, found, after_ms)
    if holds:
        return Verdict(expected, False, True, f"{found}: what is wanted holds now, remove `today`", after_ms)
    return Verdict(expected, expected.today.fails is True, False, found, after_ms)


def _happenings(
    expected: Expectation, clips: Mapping[str, str], witnessed: Witnessed, begin: float, end: float
) -> list[float]:
    match expected.event:
        case "agent_starts":
            times = [start for start, _ in witnessed.agent]
        case "agent_stops":
            times = [stop for _, stop in witnessed.agent]
        case "agent_speaks":
            times = [max(start, begin) for start, stop in witnessed.agent if stop > begin]
        case "call_ends":
            times = [] if witnessed.ended is None else [witnessed.ended]
        case _:
            speaker = "user" if expected.event == "user_turn" else "assistant"
            turns = [turn for turn in witnessed.turns if turn.speaker == speaker and _fits(turn, expected, clips)]
            times = [turn.at for turn in turns]
    return [at for at in times if begin <= at < end]


def _fits(turn: WitnessedTurn, expected: Expectation, clips: Mapping[str, str]) -> bool:
    if expected.interrupted is not None and turn.interrupted != expected.interrupted:
        return False
    if expected.says is None:
        return True
    wanted = clips.get(expected.says, expected.says)
    if turn.speaker == "user":
        return word_error_rate(wanted, turn.text) <= WORD_ERRORS
    held, heard = words(wanted), words(turn.text)
    windows = [heard[i : i + len(held)] for i in range(max(1, len(heard) - len(held) + 1))]
    return any(word_error_rate(" ".join(held), " ".join(window)) <= WORD_ERRORS for window in windows)

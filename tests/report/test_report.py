"""The report: figures that are right, and sentences from which somebody learns what happened who was not there."""

from decimal import Decimal
from pathlib import Path

import pytest

from agent.journal import CallRecord, SqliteJournal
from agent.journal.opening import FILE_NAME
from agent.report.facts import NoSuchCall, State, find_call
from agent.report.happenings import Weight
from agent.report.latency import percentile
from agent.report.report import Report
from agent.report.wording import clock, count, duration, milliseconds, money, printable
from tests.report.conftest import report_of


async def test_a_good_call_is_said_to_be_good(good: Report) -> None:
    """How long, why it ended, who said how much, and that nothing went wrong."""
    assert [finding.text for finding in good.findings] == [
        "The call lasted 26 s and ended: hung up.",
        "9 turns: 4 by the caller (1 typed), 5 by the assistant.",
        "The call was recorded: 26 s, 1.5 s of it paused.",
        "Nothing went wrong that the journal knows of.",
    ]
    assert good.state is State.ENDED
    assert good.undelivered == 0


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (Weight.BAD, "The call has no end: its process was killed or crashed. The last thing known is from 1:06.0"),
        (Weight.BAD, "The journal could not be used at times (3 reads or writes failed)"),
        (Weight.WARNING, "The language model (openai/gpt-4.1-mini) failed at 0:09.9: timeout"),
        (Weight.BAD, "Every model for the language model failed at 1:06.0"),
        (Weight.WARNING, "The voice (openai/gpt-4o-mini-tts) failed at 0:12.0: status 503"),
        (Weight.WARNING, "Another model took over once, because this failed: openai/gpt-4.1-mini"),
        (Weight.BAD, "The tool calendar failed once: timeout"),
        (Weight.BAD, "The tool book_appointment was called at 0:28.0 and its outcome is not known"),
        (Weight.WARNING, "waited more than 2.00 s for 2 replies; the longest wait was 4.50 s, at 0:13.9"),
        (Weight.NOTE, "2 replies were cut off by the caller or by the end of the call, at 0:06.9, 0:17.2"),
        (Weight.WARNING, "The last thing that the caller said or typed was not answered"),
        (Weight.WARNING, "3 of 8 turns have not reached the chat thread: #5, #7, #8"),
        (Weight.BAD, "The webhook did not take 1 notice, given up: answered 404, 3 times"),
        (Weight.WARNING, "8 notices to the webhook still wait"),
        (Weight.WARNING, "No summary could be made: the model did not answer within 30 s"),
        (Weight.NOTE, "The cost is not known in full: the cost of groq/llama-3.3-70b is not known"),
    ],
)
async def test_of_a_call_in_which_all_went_wrong_each_thing_is_said(bad: Report, weight: Weight, words: str) -> None:
    """In words, with when it happened, and the worst first."""
    (found,) = [finding for finding in bad.findings if words in finding.text]
    assert found.weight is weight
    order = [finding.weight for finding in bad.findings]
    assert order == sorted(order, key=[Weight.BAD, Weight.WARNING, Weight.NOTE].index)


async def test_a_killed_call_lasts_as_long_as_the_journal_knows(bad: Report) -> None:
    """There is no end, but a last sign of life."""
    assert bad.state is State.LOST
    assert bad.length_s == pytest.approx(66.0)


async def test_a_call_that_goes_on_is_neither_over_nor_lost(tmp_path: Path) -> None:
    """Its process is alive."""
    with SqliteJournal(tmp_path / FILE_NAME) as journal:
        await journal.call_started(CallRecord("now", "c", "room", 1.0))
        report = await report_of(tmp_path, "now")
    assert report.state is State.RUNNING
    assert any("The call goes on" in finding.text for finding in report.findings)


async def test_interruptions_know_what_cut_them(bad: Report) -> None:
    """The reply, and the caller's turn that came then."""
    assert [(turn.number, turn.cut_by) for turn in bad.interruptions] == [(1, 2), (3, 4)]


async def test_the_wait_is_from_the_end_of_the_question_to_the_reply(bad: Report, good: Report) -> None:
    """Whether it was spoken or typed; what answers nothing has none."""
    assert [turn.wait_ms for turn in bad.turns] == [None, None, 4_500, None, 1_200, None, 2_300, None]
    assert [turn.wait_ms for turn in good.turns if turn.wait_ms is not None] == [600, 600, 800, 600]


async def test_latency_is_told_by_stage(bad: Report) -> None:
    """Median, 95th percentile and longest of those turns that know it."""
    stages = {stage.stage: (stage.turns, stage.p50_ms, stage.p95_ms, stage.longest_ms) for stage in bad.latency}
    assert stages["total"] == (3, 2_260, 4_480, 4_480)
    assert stages["llm_first_token"] == (3, 210, 3_900, 3_900)


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (1.0, 100), (0.001, 1)])
def test_percentiles_are_nearest_rank(share: float, value: int) -> None:
    """A value that was measured, not one in between."""
    assert percentile(range(1, 101), share) == value
    assert percentile([7], share) == 7


async def test_usage_and_cost_are_summed_up(good: Report, bad: Report) -> None:
    """What is known is a sum, what is not is no number."""
    assert good.usage is not None
    assert bad.usage is not None
    assert good.usage.bill.total.amount == Decimal("0.0015506")
    assert bad.usage.bill.total.amount is None


async def test_a_call_is_found_by_its_id_or_its_beginning(folder: Path) -> None:
    """Without one it is the latest; what names none or several is an error that helps."""
    with SqliteJournal(folder / FILE_NAME) as journal:
        assert (await find_call(journal, None)).id == "AJ_bad"
        assert (await find_call(journal, "AJ_g")).id == "AJ_good"
        assert (await find_call(journal, "AJ_bad")).id == "AJ_bad"
        with pytest.raises(NoSuchCall, match=r"2 calls begin with 'AJ_'.*AJ_bad"):
            await find_call(journal, "AJ_")
        with pytest.raises(NoSuchCall, match="holds no call 'x'"):
            await find_call(journal, "x")
    with SqliteJournal(None) as empty, pytest.raises(NoSuchCall, match="no calls yet"):
        await find_call(empty, None)


def test_numbers_read_as_people_write_them() -> None:
    """Times, amounts and counts."""
    assert [clock(s) for s in (0, 7.44, 59.96, 760, 3_723.9)] == ["0:00.0", "0:07.4", "1:00.0", "12:40.0", "1:02:03.9"]
    assert [duration(s) for s in (0.44, 48.2, 123, 120, 3_840, 7_200)] == [
        "0.4 s", "48 s", "2 min 3 s", "2 min", "1 h 4 min", "2 h",
    ]  # fmt: skip
    assert [milliseconds(ms) for ms in (620, 1_240)] == ["620 ms", "1.24 s"]
    amounts = ("0", "0.00034", "0.0151", "1.2", "1234.5")
    assert [money(Decimal(a), "USD") for a in amounts] == [
        "0 USD", "0.00034 USD", "0.015 USD", "1.20 USD", "1,234.50 USD",
    ]  # fmt: skip
    assert [count(n, "reply", "replies") for n in (1, 2)] == ["1 reply", "2 replies"]


def test_what_cannot_be_seen_is_made_visible() -> None:
    """Control characters, and those that turn the reading direction; ordinary writing stays as it is."""
    assert printable("a\x1b[31mb\x00\u202ec\ud800\x9b") == "a�[31mb��c��"
    assert printable("Zürich 東京 שלום\n\tok 👍🏽") == "Zürich 東京 שלום\n\tok 👍🏽"

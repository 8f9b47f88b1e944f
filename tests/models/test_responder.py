"""What the responder says: honest about itself, repeats, and knows the conversation by voice and by keyboard."""

from datetime import datetime

import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.models.talk import assistant, reply, spoken, system, typed, user

HONEST = "I am a rule-based demo responder, not a language model."
MARKS = system('You are helpful. A message that begins with "[typed]" was typed, all others were spoken.')
THREAD: list[ChatCompletionMessageParam] = [
    spoken("My dog is called Rex."),
    assistant("You said: My dog is called Rex."),
    typed("The meeting is at noon"),
    assistant("You typed: The meeting is at noon."),
    spoken("I like tea."),
    assistant("You said: I like tea."),
    typed("and cake"),
    assistant("You typed: and cake."),
]
# The same, as the worker marks it for any language model: in the text.
MARKED: list[ChatCompletionMessageParam] = [
    MARKS,
    user("My dog is called Rex."),
    assistant("You said: My dog is called Rex."),
    user("[typed] The meeting is at noon"),
    assistant("You typed: The meeting is at noon."),
    user("I like tea."),
    assistant("You said: I like tea."),
    user("[typed] and cake"),
    assistant("You typed: and cake."),
]


@pytest.mark.parametrize(
    "question",
    [
        "Who are you?",
        "What are you",
        "Are you a human?",
        "Are you ChatGPT?",
        "are you really an AI",
        "What can you do?",
        "Help",
        "Hello!",
        "Good morning",
        "What model are you?",
    ],
)
def test_it_says_what_it_is(client: OpenAI, question: str) -> None:
    """Nobody shall take it for a language model."""
    answer = reply(client, user(question))
    assert HONEST in answer
    assert "repeat" in answer


@pytest.mark.parametrize(
    "instructions", ["Greet the user.", "You are a helpful assistant.", "Say hello and offer your help."]
)
def test_it_greets_when_the_call_begins(client: OpenAI, instructions: str) -> None:
    """Asked with instructions alone, it opens the conversation, and says what it is."""
    answer = reply(client, system(instructions))
    assert answer.startswith("Hello!")
    assert HONEST in answer


def test_it_does_not_pretend_to_follow_instructions(client: OpenAI) -> None:
    """In mid-conversation it says what it cannot do."""
    answer = reply(client, user("I like tea."), system("Summarise the conversation in French."))
    assert HONEST in answer
    assert "cannot follow" in answer


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (spoken("Ten of clubs."), "You said: Ten of clubs."),
        (typed("ten of clubs"), "You typed: ten of clubs."),
        (user("Is it raining?"), "You said: Is it raining?"),
        (user("  spread \n over\tlines "), "You said: spread over lines."),
        (user("unfinished, "), "You said: unfinished."),
        (user("你好"), "You said: 你好."),
        (user("😀"), "You said: 😀."),
        (user("..."), "You said: ..."),
    ],
)
def test_it_repeats_what_it_heard_or_read(client: OpenAI, message: ChatCompletionMessageParam, answer: str) -> None:
    """Everything that is no question to it comes back, by the way it came."""
    assert reply(client, message) == answer


def test_it_repeats_only_the_beginning_of_a_long_text(client: OpenAI) -> None:
    """A pasted page would be spoken for minutes."""
    answer = reply(client, typed("word " * 5_000))
    assert len(answer.split()) < 70
    assert answer.endswith("and so on.")


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_it_asks_again_when_it_heard_nothing(client: OpenAI, text: str) -> None:
    """An empty transcript is no message to repeat."""
    assert "say it again" in reply(client, spoken(text))


@pytest.mark.parametrize("thread", [THREAD, MARKED], ids=["named", "marked"])
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What did I type?", "You typed: and cake."),
        ("What have I written?", "You typed: and cake."),
        ("what was it that I typed", "You typed: and cake."),
        ("What did I type first?", "You typed: The meeting is at noon."),
        ("What did I type before that?", "You typed: The meeting is at noon."),
        ("What did I say?", "You said: I like tea."),
        ("What did I just say?", "You said: I like tea."),
        ("What did I say first?", "You said: My dog is called Rex."),
        ("Do you remember what I told you first?", "You said: My dog is called Rex."),
        ("What was my first message?", "You said: My dog is called Rex."),
        ("What was my last message?", "You typed: and cake."),
        ("What did you say?", "I said: You typed: and cake."),
        ("What did you say first?", "I said: You said: My dog is called Rex."),
        ("Please repeat that.", "You typed: and cake."),
        ("Pardon?", "You typed: and cake."),
    ],
)
def test_it_tells_typed_from_spoken(
    client: OpenAI, thread: list[ChatCompletionMessageParam], question: str, answer: str
) -> None:
    """One conversation by voice and keyboard, whether the client names the channel or marks the text."""
    asked = spoken(question) if thread is THREAD else user(question)
    assert reply(client, *thread, asked) == answer


@pytest.mark.parametrize("thread", [THREAD, MARKED], ids=["named", "marked"])
def test_it_counts_messages_by_how_they_came(client: OpenAI, thread: list[ChatCompletionMessageParam]) -> None:
    """The question is counted, as the answer says."""
    asked = (
        typed("How many messages did I send?") if thread is THREAD else user("[typed] How many messages have I sent?")
    )
    assert reply(client, *thread, asked) == (
        "You have sent 5 messages with this one: 2 spoken and 3 typed. I have answered 4 times."
    )


def test_the_question_itself_is_not_the_answer(client: OpenAI) -> None:
    """A typed question about typing, with nothing typed before, is no message to quote."""
    assert reply(client, typed("What did I type?")) == "You have not typed anything before that."
    assert reply(client, spoken("What did I say first?")) == "You have not said anything before that."
    assert reply(client, spoken("What did you say?")) == "I have not said anything yet."
    assert reply(client, spoken("Repeat that.")) == "There is nothing to repeat yet."
    assert reply(client, assistant(" \n"), spoken("Repeat that.")) == "There is nothing to repeat yet."


def test_what_was_said_is_not_taken_for_typed(client: OpenAI) -> None:
    """In a call without a keyboard nothing was typed."""
    assert reply(client, spoken("I like tea."), spoken("What did I type?")) == (
        "You have not typed anything before that."
    )


def test_what_was_only_typed_is_found_when_asked_by_mouth(client: OpenAI) -> None:
    """People say "what did I say first" of a thread that they typed: it quotes, and says how it came."""
    assert reply(client, typed("I like tea."), spoken("What did I say first?")) == "You typed: I like tea."


def test_without_a_channel_a_message_counts_as_both(client: OpenAI) -> None:
    """Clients that say nothing about channels get an answer in the words of their question."""
    assert reply(client, user("I like tea."), user("What did I type?")) == "You typed: I like tea."
    assert reply(client, user("I like tea."), user("What did I say?")) == "You said: I like tea."


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("My name is ana.", "Ana"),
        ("my name's Zoë, nice to meet you", "Zoë"),
        ("Please call me Bob!", "Bob"),
    ],
)
def test_it_remembers_a_name(client: OpenAI, told: str, name: str) -> None:
    """It is used at once, when asked for, and in a greeting."""
    assert reply(client, spoken(told)).startswith(f"Nice to meet you, {name}.")
    assert reply(client, spoken(told), typed("What is my name?")) == f"You told me that your name is {name}."
    assert reply(client, spoken(told), spoken("Hello")).startswith(f"Hello, {name}!")


@pytest.mark.parametrize("text", ["Call me back.", "call me when you are there", "They call me later"])
def test_it_does_not_invent_a_name(client: OpenAI, text: str) -> None:
    """Not everything after "call me" is a name."""
    assert reply(client, spoken(text)).startswith("You said:")
    assert reply(client, spoken(text), spoken("Who am I?")) == "You have not told me your name."


def test_it_knows_the_time_and_the_date(client: OpenAI) -> None:
    """Those of this machine."""
    assert reply(client, user("What time is it?")).endswith(("AM.", "PM."))
    answer = reply(client, user("What day is it today?"))
    assert str(datetime.now().astimezone().year) in answer


@pytest.mark.parametrize(("text", "answer"), [("Thank you", "You are welcome."), ("ok bye", "Goodbye!")])
def test_it_is_polite(client: OpenAI, text: str, answer: str) -> None:
    """Small words are not thrown back."""
    assert reply(client, user(text)) == answer


def test_a_page_of_questions_is_answered_as_fast_as_one(client: OpenAI) -> None:
    """Two megabytes that look like a question do not keep all other callers waiting: a minute would be too long."""
    answer = client.with_options(timeout=20).chat.completions.create(
        model="responder", messages=[assistant(" " * 500_000 + "x"), user("what which read " * 80_000)]
    )
    assert answer.choices[0].message.content
    again = client.with_options(timeout=20).chat.completions.create(
        model="responder", messages=[assistant("x" + " " * 1_000_000), user("Say that again.")]
    )
    assert again.choices[0].message.content == "x"

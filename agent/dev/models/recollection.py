"""Answers to questions about the conversation itself: what was typed, said and answered, how much, and the name."""

import re
from collections.abc import Sequence

from agent.dev.models.dialogue import Channel, Message, Role, as_sentence, plain

_TYPED_VERBS = "type|typed|write|wrote|written|text|texted"
_SAID_VERBS = "say|said|saying|tell you|told you|ask|asked|speak|spoke|talk about"
_OWN_WORDS = re.compile(
    rf"\bwhat (?:was it |were )?(?:(?:did|have|had|do) i (?:\w+ )?|i (?:\w+ )?|that i )"
    rf"(?:(?P<typed>{_TYPED_VERBS})|(?P<said>{_SAID_VERBS}))\b"
)
_OWN_MESSAGE = re.compile(
    r"\b(?:what|which|read|repeat|tell me)\b.*\bmy (?:very )?"
    r"(?:first|last|previous) (?:message|words?|sentence)\b"
)
_AGENTS_WORDS = re.compile(
    r"\bwhat (?:did|have) you (?:\w+ )?(?:say|said|answer|answered|reply|tell me)\b|\bwhat you (?:just )?said\b"
)
_AGAIN = re.compile(
    r"\b(?:repeat (?:that|it|this|yourself)|say (?:that|it) again|come again|once more please"
    r"|(?:please|can you|could you) repeat)\b"
    r"|^(?:pardon|sorry what|repeat|again|what was that)(?: please)?$"
)
_COUNT = re.compile(r"\bhow many (?:\w+ )?(?:messages|turns|times did i (?:speak|say|type|write))\b")
_NAME_ASKED = re.compile(r"\b(?:whats|what is|what was|know|remember|say|tell me) my name\b|\bwho am i\b")
_NAME = r"([^\W\d_][\w'’-]*)"
# "Call me Ana." tells a name, "call me when you are there" and "call me back" do not.
_NAME_TOLD = re.compile(rf"\bmy name(?: is|['’]s)\s+{_NAME}|\bcall me\s+{_NAME}(?=\s*(?:$|[.,!?;]))", re.IGNORECASE)
_NO_NAMES = frozenset(("again", "back", "later", "maybe", "now", "soon", "today", "tomorrow", "tonight"))


def recall(question: Message, before: Sequence[Message]) -> str | None:
    """The answer to a question about the conversation; None when it is no such question.

    Args:
        question: the user's message that is being answered.
        before: everything before it.
    """
    words = plain(question.text)
    if match := _OWN_WORDS.search(words):
        return _own_words(words, before, typed=match["typed"] is not None)
    if match := _OWN_MESSAGE.search(words):
        own = [m for m in before if m.role is Role.USER and m.text]
        return _quote(_pick(own, words), "said") if own else "That was your first message."
    if _AGENTS_WORDS.search(words):
        if not (said := _answers(before)):
            return "I have not said anything yet."
        return as_sentence(f"I said: {(said[0] if 'first' in words.split() else said[-1]).removeprefix('I said: ')}")
    if _AGAIN.search(words):
        said = _answers(before)
        return said[-1] if said else "There is nothing to repeat yet."
    if _COUNT.search(words):
        return _count([*before, question])
    if _NAME_ASKED.search(words):
        name = told_name(before)
        return f"You told me that your name is {name}." if name else "You have not told me your name."
    return None


def told_name(messages: Sequence[Message]) -> str | None:
    """The name that the user told last ("my name is…", "call me…")."""
    for message in reversed(messages):
        if message.role is Role.USER and (match := _NAME_TOLD.search(message.text)):
            name = match[1] or match[2]
            if name.lower() not in _NO_NAMES:
                return name[:1].upper() + name[1:]
    return None


def _answers(messages: Sequence[Message]) -> list[str]:
    return [m.text for m in messages if m.role is Role.ASSISTANT and m.text.strip()]


def _own_words(words: str, before: Sequence[Message], *, typed: bool) -> str:
    everything = [m for m in before if m.role is Role.USER and m.text]
    other = Channel.SPOKEN if typed else Channel.TYPED
    own = [m for m in everything if m.channel is not other]
    if own:
        return _quote(_pick(own, words), "typed" if typed else "said")
    if typed or not everything:
        return f"You have not {'typed' if typed else 'said'} anything before that."
    return _quote(_pick(everything, words), "said")


def _pick(messages: Sequence[Message], words: str) -> Message:
    if "first" in words.split():
        return messages[0]
    if re.search(r"\bbefore (?:that|this)\b|\bprevious\b", words) and len(messages) > 1:
        return messages[-2]
    return messages[-1]


def _quote(message: Message, verb: str) -> str:
    known = {Channel.TYPED: "typed", Channel.SPOKEN: "said"}
    return as_sentence(f"You {known.get(message.channel, verb)}: {message.text}")


def _count(messages: Sequence[Message]) -> str:
    own = [m for m in messages if m.role is Role.USER]
    typed = sum(m.channel is Channel.TYPED for m in own)
    spoken = sum(m.channel is Channel.SPOKEN for m in own)
    answers = len(_answers(messages))
    told = f"{_number(len(own), 'message')} with this one"
    kinds = f": {spoken} spoken and {typed} typed" if typed + spoken == len(own) else ""
    return f"You have sent {told}{kinds}. I have answered {_number(answers, 'time')}."


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

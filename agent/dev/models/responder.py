"""A small rule-based responder: it stands where a language model would, and says so.

It repeats what it heard, answers questions about the conversation ("what did I type?"), and can call a tool. Pure: from
messages to a reply.

How it tells typed from spoken: a user message may carry OpenAI's participant `name`, "voice" for spoken, "chat" or
"room" for typed. Without a name, text that begins with "[typed] " was typed, and once the instructions explain that
mark, every other message was spoken: so does our worker mark them, because that is plain text for any language model.
A message with neither counts as both.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from agent.dev.models import tool_calling
from agent.dev.models.dialogue import Channel, Message, Reply, Role, Tool, as_sentence, plain, with_channels
from agent.dev.models.recollection import recall, told_name

MODEL_ID = "responder"
INTRODUCTION = "I am a rule-based demo responder, not a language model."
ABILITIES = "I repeat what you say or type, and answer questions about our conversation."
MAX_WORDS = 60
# A longer text asks none of the questions below; some of their patterns take time that grows with its square.
MAX_QUESTION_CHARACTERS = 500

_GREETING = re.compile(r"^(?:hi|hello|hey|hello hello|good (?:morning|afternoon|evening|day)|greetings)(?: \w+){0,2}$")
_WHO = re.compile(
    r"\b(?:who|what) are you\b|\bwhat can you do\b|\bintroduce yourself\b"
    r"|\bare you (?:really |just )?(?:an? |the )?(?:real )?(?:ai|human|robot|person|bot|chatbot|machine|computer"
    r"|gpt|chatgpt|language model|llm|real)\b|\bwhat model\b|^help(?: me)?$"
)
_TIME = re.compile(r"\b(?:what time is it|whats the time|what is the time|tell me the time|what time it is)\b")
_DATE = re.compile(
    r"\b(?:what day is (?:it|today)|what(?:s| is) (?:the date|todays date|the day today)|what date is)\b"
)
_THANKS = re.compile(r"^(?:ok |okay |great )?(?:thanks|thank you)(?: \w+){0,3}$")
_BYE = re.compile(r"^(?:ok |okay )?(?:bye|goodbye|bye bye|good night|see you)(?: \w+){0,2}$")
_GREET_INSTRUCTION = re.compile(r"\b(?:greet|greeting|welcome|introduce|say (?:hello|hi))\b", re.IGNORECASE)


def respond(
    messages: Sequence[Message], tools: Sequence[Tool], now: datetime, *, must_call: Tool | None = None
) -> Reply:
    """The reply to the last message; it always has words, or a tool to call.

    Args:
        messages: the conversation, oldest first.
        tools: what may be called.
        now: the local time, for those who ask for it.
        must_call: is called whatever the user says, if it is for the user to be answered.
    """
    conversation = with_channels(messages)
    last = conversation[-1] if conversation else Message(Role.SYSTEM, "")
    if last.role is Role.TOOL:
        return Reply(tool_calling.report(conversation))
    if last.role is Role.SYSTEM:
        return Reply(_follow(last, conversation))
    if last.role is Role.ASSISTANT:
        return Reply("I am still here. Say or type something.")
    if must_call is not None:
        return tool_calling.call(must_call, last.text)
    return _answer(last, conversation[:-1], tools, now)


def _follow(instruction: Message, conversation: Sequence[Message]) -> str:
    begun = any(m.role in (Role.USER, Role.ASSISTANT) for m in conversation)
    if not begun or _GREET_INSTRUCTION.search(instruction.text):
        return f"{_hello(conversation)} {INTRODUCTION} Say or type something."
    return f"{INTRODUCTION} I cannot follow instructions beyond a greeting."


def _answer(last: Message, before: Sequence[Message], tools: Sequence[Tool], now: datetime) -> Reply:
    if len(last.text) > MAX_QUESTION_CHARACTERS:
        return Reply(_echo(last))
    words = plain(last.text)
    if not words:
        return Reply("I did not catch that. Please say it again." if not last.text else _echo(last))
    if (recalled := recall(last, before)) is not None:
        return Reply(recalled)
    if tool := tool_calling.tool_asked_for(last.text, tools):
        return tool_calling.call(tool, last.text)
    return Reply(_small_talk(words, last, before, now) or _echo(last))


def _small_talk(words: str, last: Message, before: Sequence[Message], now: datetime) -> str | None:
    if _WHO.search(words):
        return f"{INTRODUCTION} {ABILITIES}"
    if _GREETING.match(words):
        return f"{_hello(before)} {INTRODUCTION} {ABILITIES}"
    if _TIME.search(words):
        return f"It is {now.strftime('%I:%M %p').lstrip('0')}."
    if _DATE.search(words):
        return f"Today is {now.strftime('%A')}, {now.strftime('%B')} {now.day}, {now.year}."
    if _THANKS.match(words):
        return "You are welcome."
    if _BYE.match(words):
        return "Goodbye!"
    if name := told_name([last]):
        return f"Nice to meet you, {name}. {_echo(last)}"
    return None


def _hello(messages: Sequence[Message]) -> str:
    name = told_name(messages)
    return f"Hello, {name}!" if name else "Hello!"


def _echo(message: Message) -> str:
    words = message.text.split()
    heard = message.text if len(words) <= MAX_WORDS else " ".join(words[:MAX_WORDS]) + ", and so on"
    return as_sentence(f"You {'typed' if message.channel is Channel.TYPED else 'said'}: {heard}")

"""What the model is told: the thread, what was typed, and no more than fits. Pure functions over chat contexts."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from livekit.agents import llm

from agent.conversation import typed_in_thread
from agent.tools.untrusted import wrap
from agent.turns import Kind, Turn

TYPED_MARK = "[typed] "
TYPED_NOTE = (
    f'\n\nThe person speaks and types in the same conversation. A message that begins with "{TYPED_MARK.strip()}" '
    "was typed; every other one was spoken. Never say the mark itself."
)
INSTRUCTION_ROLES = frozenset({"system", "developer"})
# Tokens around each message in the chat formats of the large models.
TOKENS_PER_MESSAGE = 4


@dataclass(frozen=True, slots=True)
class Overheard:
    """A message of the thread that came during the call and is answered by nobody here.

    `at` is when it came, by our clock: a server's clock may be another one.
    """

    at: float
    turn: Turn


def with_thread(context: llm.ChatContext, before: Iterable[Turn], during: Iterable[Overheard]) -> llm.ChatContext:
    """A copy to which the thread is added.

    Args:
        context: what the session has said and heard.
        before: the thread before the call, in its order; it stands after the instructions, before everything else.
        during: what came since then.
    """
    known = {item.id for item in context.items}  # the library takes no two messages of one id
    first = next((i for i, item in enumerate(context.items) if not _is_instruction(item)), len(context.items))
    earlier = []
    for turn in before:
        if turn.id not in known:
            known.add(turn.id)
            earlier.append(_to_item(turn, turn.started_at))
    merged = llm.ChatContext([*context.items[:first], *earlier, *context.items[first:]])
    fixed = first + len(earlier)
    for overheard in during:
        if overheard.turn.id not in known:
            known.add(overheard.turn.id)
            at = next((i for i, item in enumerate(merged.items[fixed:], fixed) if item.created_at > overheard.at), None)
            merged.items.insert(len(merged.items) if at is None else at, _to_item(overheard.turn, overheard.at))
    return merged


def with_results_last(context: llm.ChatContext) -> llm.ChatContext:
    """A copy in which what the agent said while a tool ran stands before the call.

    The API wants a call and its result together, so "one moment" would come after the result: last, where a model
    looks for what it is to answer.
    """
    awaited = {item.call_id for item in context.items if item.type == "function_call_output"}
    items: list[llm.ChatItem] = []
    group: list[llm.ChatItem] = []
    for item in context.items:
        if item.type == "function_call" and item.call_id in awaited:
            group.append(item)
        elif item.type == "function_call_output":
            group.append(item)
            awaited.discard(item.call_id)
            if not any(call.type == "function_call" and call.call_id in awaited for call in group):
                items += group
                group = []
        elif group and item.type == "message" and item.role == "assistant":
            items.append(item)
        else:
            items += [*group, item]
            group = []
    return llm.ChatContext([*items, *group])


def mark_typed(context: llm.ChatContext, find_turn: Callable[[str], Turn | None]) -> llm.ChatContext:
    """A copy in which each message that a person typed begins with the mark that the instructions explain."""
    marked = context.copy()
    for index, item in enumerate(marked.items):
        if item.type == "message" and (turn := find_turn(item.id)) is not None and typed_in_thread(turn):
            marked.items[index] = item.model_copy(update={"content": [TYPED_MARK + (item.raw_text_content or "")]})
    return marked


def fit(context: llm.ChatContext, budget: int) -> llm.ChatContext:
    """A copy that keeps the newest items within a budget of tokens.

    Instructions are kept, whatever they cost, and so is the last item; a tool call and its result are kept or left out
    together. What is left out is the oldest: the first unit that does not fit ends it, so that there is no hole.
    """
    items = context.items
    kept = {index for index, item in enumerate(items) if _is_instruction(item)}
    left = budget - sum(estimate_tokens(items[index]) for index in kept)
    for unit in reversed(_units(items)):
        cost = sum(estimate_tokens(items[index]) for index in unit)
        if cost > left and len(items) - 1 not in unit:
            break
        left -= cost
        kept.update(unit)
    return llm.ChatContext([items[index] for index in sorted(kept)])


def estimate_tokens(item: llm.ChatItem) -> int:
    """About how many tokens an item costs: a quarter of its ASCII characters and one for each other character.

    Tokenisers differ between models and none comes without a download; this is on the high side for English.
    """
    match item.type:
        case "message":
            text = item.raw_text_content or ""
        case "function_call":
            text = item.name + item.arguments
        case "function_call_output":
            text = item.name + item.output
        case _:
            return 0
    ascii_characters = sum(character.isascii() for character in text)
    return TOKENS_PER_MESSAGE + math.ceil(ascii_characters / 4) + len(text) - ascii_characters


def _units(items: Sequence[llm.ChatItem]) -> list[list[int]]:
    """Indices of what is kept or left out together, in the order in which each unit ends."""
    units: dict[str, list[int]] = {}
    for index, item in enumerate(items):
        if _is_instruction(item):
            continue
        key = f"call {item.call_id}" if item.type in ("function_call", "function_call_output") else f"item {index}"
        units.setdefault(key, []).append(index)
    return sorted(units.values(), key=lambda unit: unit[-1])


def _is_instruction(item: llm.ChatItem) -> bool:
    return item.type == "message" and item.role in INSTRUCTION_ROLES


def _to_item(turn: Turn, created_at: float) -> llm.ChatMessage:
    """A turn of the thread as a message; what nobody said, a note, is marked as what comes from outside."""
    text = turn.text if turn.kind is Kind.SPEECH else wrap("note", turn.text)
    return llm.ChatMessage(
        role=turn.speaker.value, content=[text], id=turn.id, interrupted=turn.interrupted, created_at=created_at
    )

"""The words of a reply that was cut, as they were heard: the played audio is transcribed, off the voice path."""

import asyncio
import logging
from typing import Any

from livekit.agents import APIConnectOptions, APIError, stt

from agent.call.heard_words import heard_words
from agent.call.voice_output import PlayedClip
from agent.turns import readable

logger = logging.getLogger("agent.cut_reply")

# Enough words to find the place in the text; a longer clip would only take longer to transcribe.
TAIL_S = 6.0
TIMEOUT_S = 3.0
# Nobody hears a word in less.
SHORTEST_WORD_S = 0.12


async def words_heard(recognizer: stt.STT[Any], clip: PlayedClip, text: str, estimate: str) -> str:
    """What was heard of a reply.

    Args:
        recognizer: transcribes the clip.
        clip: the audio of the reply that was played.
        text: all that the reply would have said.
        estimate: the library's guess of what was heard, which stands when the clip cannot be transcribed in time.
    """
    if clip.seconds < SHORTEST_WORD_S:
        return ""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            event = await recognizer.recognize(
                clip.last(TAIL_S).to_frame(), conn_options=APIConnectOptions(max_retry=0, timeout=TIMEOUT_S)
            )
    except (APIError, TimeoutError) as error:
        logger.warning("the words heard of a cut reply are estimated (%s)", type(error).__name__)
        return estimate
    heard = event.alternatives[0].text if event.alternatives else ""
    return heard_words(readable(text), estimate, heard, from_start=clip.seconds <= TAIL_S)

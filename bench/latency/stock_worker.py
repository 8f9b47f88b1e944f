"""A stock livekit-agents worker at its best configuration, for comparison; run by `python -m bench latency`.

Its own defaults wherever they keep everything on this machine: Silero as compiled into the library, the on-device turn
detector, its endpointing delays, preemptive generation. Speech comes as PCM, which is the faster way. It writes what it
measured of each message to METRICS_FILE, one JSON object on a line.
"""

import json
import os

from livekit.agents import Agent, AgentServer, AgentSession, ConversationItemAddedEvent, JobContext, cli, inference, llm
from livekit.plugins import openai

INSTRUCTIONS = "You are a helpful voice assistant. Answer in one or two short sentences."


def _no_load() -> float:
    return 0.0  # this machine is busy with the others; the default would refuse the job


server = AgentServer(host="127.0.0.1", port=0, num_idle_processes=1, load_fnc=_no_load)


@server.rtc_session(agent_name=os.environ.get("AGENT_NAME", "stock"))
async def run_job(context: JobContext) -> None:
    """One call."""
    base_url, key = os.environ["MODELS_BASE_URL"], "local"
    session = AgentSession[None](
        vad=inference.VAD(model="silero"),
        stt=openai.STT(model="moonshine-tiny-en", language="en", base_url=base_url, api_key=key, use_realtime=False),
        llm=openai.LLM(model="responder", base_url=base_url, api_key=key),
        tts=openai.TTS(model="hibari", voice="alloy", base_url=base_url, api_key=key, response_format="pcm"),
        turn_handling={"turn_detection": inference.TurnDetector(version="v1-mini")},
    )

    @session.on("conversation_item_added")
    def note(event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, llm.ChatMessage):
            with open(os.environ["METRICS_FILE"], "a", encoding="utf-8") as file:
                file.write(json.dumps({"role": event.item.role, **event.item.metrics}) + "\n")

    await session.start(Agent(instructions=INSTRUCTIONS), room=context.room, record=False)
    if greeting := os.environ.get("GREETING"):
        session.say(greeting)


if __name__ == "__main__":
    cli.run_app(server)

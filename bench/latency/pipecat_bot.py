"""A pipecat bot as its own example for LiveKit builds one; a script for the Python of pipecat's environment.

It joins the room of its token (LIVEKIT_URL, LIVEKIT_TOKEN, ROOM) and uses the models at MODELS_BASE_URL. Voice activity
by Silero, end of turn by Smart Turn v3: its defaults.
"""

import asyncio
import os

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.openai.stt import OpenAISTTService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.transports.livekit.transport import LiveKitParams, LiveKitTransport
from pipecat.workers.runner import WorkerRunner

INSTRUCTIONS = "You are a helpful voice assistant. Answer in one or two short sentences."


async def main() -> None:
    """Run until the room is left."""
    base_url, key = os.environ["MODELS_BASE_URL"], "local"
    transport = LiveKitTransport(
        url=os.environ["LIVEKIT_URL"],
        token=os.environ["LIVEKIT_TOKEN"],
        room_name=os.environ["ROOM"],
        params=LiveKitParams(audio_in_enabled=True, audio_out_enabled=True),
    )
    user, assistant = LLMContextAggregatorPair(
        LLMContext(), user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    pipeline = Pipeline(
        [
            transport.input(),
            OpenAISTTService(
                api_key=key, base_url=base_url, settings=OpenAISTTService.Settings(model="moonshine-tiny-en")
            ),
            user,
            OpenAILLMService(
                api_key=key,
                base_url=base_url,
                settings=OpenAILLMService.Settings(model="responder", system_instruction=INSTRUCTIONS),
            ),
            OpenAITTSService(
                api_key=key, base_url=base_url, settings=OpenAITTSService.Settings(model="hibari", voice="alloy")
            ),
            transport.output(),
            assistant,
        ]
    )
    runner = WorkerRunner()
    await runner.add_workers(PipelineWorker(pipeline, params=PipelineParams(), cancel_on_idle_timeout=False))
    await runner.run()


if __name__ == "__main__":
    asyncio.run(main())

"""What the local model hears in audio that a test recorded."""

import io
import wave

import numpy as np
from numpy.typing import NDArray
from openai import AsyncOpenAI

Samples = NDArray[np.int16]
AUDIBLE = 500  # of 32,767


async def transcribe(models_url: str, audio: bytes, filename: str) -> str:
    """The words in an audio file.

    Args:
        models_url: the base of the OpenAI API of the local models.
        audio: a file that FFmpeg can read.
        filename: its name, whose ending says what it is.
    """
    async with AsyncOpenAI(base_url=models_url, api_key="local") as client:
        heard = await client.audio.transcriptions.create(model="moonshine-tiny-en", file=(filename, audio))
    return heard.text


async def transcribe_samples(models_url: str, samples: Samples, rate: int) -> str:
    """The words in mono samples; "" when there is nothing audible."""
    audible = np.flatnonzero(np.abs(samples) > AUDIBLE)
    if not len(audible):
        return ""
    return await transcribe(models_url, wav(samples, rate), "heard.wav")


def wav(samples: Samples, rate: int) -> bytes:
    """Mono samples as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()

"""The life of the server: loading, failing to load, and ending in the middle of its work."""

import importlib.util
import os
import subprocess
import threading
from pathlib import Path

import aiohttp
import openai
import pytest
from openai import OpenAI

from agent.dev.models import transcription
from agent.dev.models.moonshine import Moonshine
from tests.models.audio_files import wav
from tests.models.local_server import local_server, until_ready
from tests.models.models_process import COMMAND, ROOT, models_process, terminate
from tests.models.models_process import until_ready as until_process_ready
from tests.models.talk import MODEL, user


def test_no_torch_is_installed() -> None:
    """The models run on ONNX Runtime: two gigabytes less to install, and seconds less to start."""
    assert importlib.util.find_spec("torch") is None


async def test_it_is_not_healthy_until_its_models_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """503 while they load; what needs no weights is answered already."""
    may_load = threading.Event()

    def load(folder: Path) -> Moonshine:
        assert may_load.wait(60)
        return Moonshine(folder)

    monkeypatch.setattr(transcription, "Moonshine", load)
    async with local_server() as client, aiohttp.ClientSession() as http:
        health = str(client.base_url.join("/healthz"))
        try:
            async with http.get(health) as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "1")
                assert (await response.json())["error"]["code"] == "models_loading"
            with pytest.raises(openai.InternalServerError, match="still loading"):
                await client.audio.speech.create(model="hibari", voice="alloy", input="Yes.")
            assert (await client.chat.completions.create(model=MODEL, messages=[user("Tea.")])).choices
            assert [model.id async for model in client.models.list()]
        finally:
            may_load.set()
        await until_ready(client)
        async with http.get(health) as response:
            assert response.status == 200


def test_it_ends_when_a_model_cannot_be_loaded(tmp_path: Path) -> None:
    """A server that can never be ready would be waited for in vain: it says why in its last line, with status 1."""
    (tmp_path / "moonshine_voice.py").touch()  # as in the wheels from 0.1 on, which have no weights
    env = {**os.environ, "MODELS_PORT": "0", "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(COMMAND, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "has no weights in its wheel" in ended.stderr.splitlines()[-1]


def test_sigterm_ends_it_in_the_middle_of_its_work(tmp_path: Path) -> None:
    """In the middle of long speech and of a long recording it ends in order, and no answer looks whole."""
    with models_process(tmp_path / "models.log") as server:
        until_process_ready(server)
        with OpenAI(base_url=server.base_url, api_key="any", max_retries=0) as client:
            recording = ("long.wav", wav(_minutes_of_speech(client), 24_000))
            with (
                client.audio.transcriptions.create(model="moonshine-tiny-en", file=recording, stream=True) as events,
                client.audio.speech.with_streaming_response.create(
                    model="hibari", voice="alloy", input="This goes on and on. " * 190, response_format="pcm"
                ) as response,
            ):
                heard, chunks = iter(events), response.iter_bytes()
                next(heard)
                next(chunks)
                assert terminate(server) == 0
                with pytest.raises(openai.APIConnectionError):
                    list(heard)
                with pytest.raises(Exception, match="without sending complete message body"):
                    list(chunks)
        assert "Traceback" not in server.log()
        assert "request failed" not in server.log()


def _minutes_of_speech(client: OpenAI) -> bytes:
    sentence = client.audio.speech.create(
        model="hibari", voice="alloy", input="Fifteen people walked along the river.", response_format="pcm"
    ).content
    return sentence * 80

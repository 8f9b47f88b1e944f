"""`python -m agent check` as a user runs it, against the whole stack: all well, and each thing that can be wrong."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.stack import ROOT, RunningStack

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def check(stack: RunningStack, *arguments: str, **env: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit status, and the findings by area and subject."""
    ports = {"PAGE_PORT": stack.page, "LIVEKIT_PORT": stack.livekit, "MODELS_PORT": stack.models}
    here = {name: str(urlsplit(url).port) for name, url in ports.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent", "check", "--json", *arguments),
        cwd=ROOT,
        env={**os.environ, **here, "DATA_DIR": str(stack.data_dir), **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await process.communicate()
    assert complaints == b""
    result = json.loads(printed)
    assert result["ok"] is (process.returncode == 0)
    return process.returncode or 0, {f"{f['area']} {f['subject']}": f for f in result["findings"]}


async def test_all_is_well_in_both_dialects(stack: RunningStack) -> None:
    """Everything answers, the model's voice is heard, and nothing is left in the thread or the rooms."""
    for dialect in ("guide", "unpod"):
        status, findings = await check(stack, "--profile", "reception", CHAT_DIALECT=dialect)
        assert status == 0, findings
        assert len(findings) == 10
        assert findings["sentence model local/moonshine-tiny-en"]["said"] == "reads sentences"
        assert "livekit-server" in findings["LiveKit worker"]["said"]
        assert "voice marin" in findings["text to speech local/hibari"]["said"]


async def test_a_job_of_a_signed_in_user_is_checked_with_their_token(stack: RunningStack, tmp_path: Path) -> None:
    """A token that the chat refuses is found, and not shown."""
    job = {"conversation_id": "42", "user": {"id": "7", "token": "hunter2"}, "models": {"llm": ["local/nothing"]}}
    (tmp_path / "job.json").write_text(json.dumps(job))
    status, findings = await check(stack, "--job", str(tmp_path / "job.json"))
    assert status == 1
    assert [name for name, finding in findings.items() if not finding["ok"]] == [
        "chat WebSocket, guide",
        "chat history, guide",
        "language model local/nothing",
    ]
    assert "the user's token in the job" in findings["chat WebSocket, guide"]["advice"]
    assert "models.llm of the job" in findings["language model local/nothing"]["advice"]
    assert "hunter2" not in json.dumps(findings)


async def test_what_is_wrong_is_found_and_nothing_else(stack: RunningStack) -> None:
    """A wrong key, a wrong token, a closed port, all at once; the rest is well."""
    status, findings = await check(
        stack,
        LIVEKIT_URL=stack.livekit,
        LIVEKIT_API_KEY="key",
        LIVEKIT_API_SECRET="x" * 40,
        CHAT_API_URL=stack.chat,
        CHAT_TOKEN="nonsense",
        STT_MODELS="acme/model",
        ACME_BASE_URL="http://127.0.0.1:9/v1",
    )
    assert status == 1
    wrong = {finding["area"]: finding["said"] for finding in findings.values() if not finding["ok"]}
    assert wrong.keys() == {"LiveKit", "chat", "speech to text"}
    assert "401" in wrong["LiveKit"]
    assert "401" in wrong["chat"]
    assert "nothing listens there" in wrong["speech to text"]

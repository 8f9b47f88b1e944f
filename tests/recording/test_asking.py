"""Who may ask for a recording, and what is refused before there is a call."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.job import Job, JobError, Profile
from agent.job.loading import load_job
from agent.phrases import PHRASES, Phrase
from agent.settings import Settings, load_settings

TOOL = {"name": "sensitive_input", "description": "x", "url": "https://example.com/"}


def settings(tmp_path: Path, **more: str) -> Settings:
    """A worker with one profile."""
    (tmp_path / "desk.yaml").write_text("recording: {enabled: true, keep_days: 7}\n")
    return load_settings({"PROFILES": str(tmp_path), "DATA_DIR": str(tmp_path / "data"), **more}, None)


async def load(settings: Settings, **metadata: object) -> Job:
    """A job of this worker."""
    return await load_job(json.dumps({"conversation_id": "c", **metadata}), settings)


async def test_a_recording_is_off_unless_asked_for(tmp_path: Path) -> None:
    """A profile asks for it, and a dispatch may refuse it for one call."""
    worker = settings(tmp_path)
    assert not (await load(worker)).recording.enabled
    assert (await load(worker, agent="desk")).recording.enabled
    assert not (await load(worker, agent="desk", recording={"enabled": False})).recording.enabled


async def test_nobody_keeps_a_recording_longer_than_the_worker_does(tmp_path: Path) -> None:
    """A promise that would be broken is refused, by name."""
    worker = settings(tmp_path, RECORDING_DAYS="14")
    assert (await load(worker, agent="desk", recording={"keep_days": 14})).recording.keep_days == 14
    with pytest.raises(JobError, match=r"recording\.keep_days.*RECORDING_DAYS \(14\)"):
        await load(worker, agent="desk", recording={"keep_days": 15})


def test_recordings_are_kept_with_the_data_unless_told_otherwise(tmp_path: Path) -> None:
    """RECORDINGS_DIR names another disk."""
    assert settings(tmp_path).recordings == tmp_path / "data" / "recordings"
    assert settings(tmp_path, RECORDINGS_DIR="/srv/sound").recordings == Path("/srv/sound")


@pytest.mark.parametrize(
    "recording",
    [{"announce": ""}, {"announce": "  "}, {"announce": "a\nb"}, {"announce": "{{user.name}}"}, {"keep_days": 0},
     {"keep_days": 2.5}, {"enabled": "yes"}, {"upload": "s3://x"}],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(recording: dict[str, object]) -> None:
    """Before anybody is called."""
    with pytest.raises(ValidationError):
        Profile.model_validate({"recording": recording})


def test_two_tools_with_one_name_are_refused() -> None:
    """The model's own way to pause cannot be taken by a tool that reaches elsewhere."""
    assert Profile.model_validate({"tools": [TOOL]}).tools
    with pytest.raises(ValidationError, match="sensitive_input"):
        Profile.model_validate({"tools": [TOOL], "recording": {"pause_tool": True}})


def test_every_language_can_announce_it() -> None:
    """Each that the agent has words in."""
    assert all(Phrase.RECORDED in words for words in PHRASES.values())

"""Plays a scene through the pipeline, without a room, in virtual time."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.job import parse_job
from agent.models import CallModels
from agent.replay.audibility import stretches
from agent.replay.files import write_files
from agent.replay.loudspeaker import AUDIBLE
from agent.replay.performance import Performance, ReplayedCall
from agent.replay.result import replayed_turns
from agent.replay.sound import RATE, Sound
from agent.replay.studio import Studio
from agent.settings import Settings, load_settings
from tests.scenes.check import Witnessed, WitnessedTurn
from tests.scenes.script import Scene
from tests.scenes.stage import Stage

# The agent's own pauses between two sentences are shorter.
AGENT_PAUSE_S = 0.7
WINDOW = RATE // 100


@dataclass(frozen=True, slots=True)
class Played:
    """A scene that was played: what was witnessed, and all of the performance."""

    witnessed: Witnessed
    performance: Performance
    clean: Sound


class ScenePlayer:
    """Plays scenes one after the other.

    Args:
        studio: where they are played.
        settings: the worker's settings.
    """

    def __init__(self, studio: Studio, settings: Settings) -> None:
        self._studio = studio
        self._settings = settings

    def play(self, scene: Scene) -> Played:
        """Play one scene."""
        stage = Stage(scene)
        job = parse_job(json.dumps({"conversation_id": "scene", **scene.job}))

        async def run(models: CallModels) -> Performance:
            call = ReplayedCall(self._settings, job, models, stage, lambda u: stage.agent_starts(u.audible or u.began))
            stage.type_text = call.type
            return await call.run(greet=scene.greet)

        performance = self._studio.perform(job, run)
        turns = [
            WitnessedTurn(turn.speaker, turn.text, turn.started_at - performance.begun_at, turn.interrupted)
            for turn in performance.turns
        ]
        ended = performance.hung_up[0] if performance.hung_up is not None else None
        seconds = max(len(performance.agent) / RATE, 0.0 if ended is None else ended + 0.1)
        witnessed = Witnessed(stage.moments, heard_of_agent(performance.agent), turns, seconds, ended)
        return Played(witnessed, performance, stage.clean_track(len(performance.caller)))


@contextmanager
def scene_player() -> Iterator[ScenePlayer]:
    """A player with the models loaded, and with the defaults of all settings."""
    settings = load_settings({}, env_file=None)
    with Studio(settings, fast=True) as studio:
        yield ScenePlayer(studio, settings)


def heard_of_agent(track: Sound) -> list[tuple[float, float]]:
    """When the agent was heard, as starts and ends in seconds."""
    whole = track[: len(track) // WINDOW * WINDOW].reshape(-1, WINDOW).astype(np.int32)
    return stretches(np.abs(whole).max(axis=1, initial=0) > AUDIBLE, AGENT_PAUSE_S)


def write_played(folder: Path, scene: Scene, played: Played) -> None:
    """Leave the sound, the turns and the picture of a scene in a folder, as `agent replay` does."""
    turns = replayed_turns(played.performance, played.clean)
    write_files(folder, folder.name, scene.title, played.performance, turns)

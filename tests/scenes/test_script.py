"""Reading scenes: what can be written down, and what is refused by name."""

import pytest

from tests.scenes.clips import load_clip
from tests.scenes.script import SceneError, load_scene, parse_scene, scene_files
from tests.support.recordings import AUDIO_DIR

SCENE = """
title: A sentence is answered
say:
  - {id: sentence, clip: card_001, at: 0.5, pauses: [{at: 0.4, seconds: 0.8}]}
expect:
  - {event: agent_starts, after: sentence.end, within_ms: 900, today: {within_ms: 1200}}
"""


def test_a_scene_is_read() -> None:
    """Times, pauses and what is expected arrive as they were written."""
    scene = parse_scene(SCENE)
    assert (scene.say[0].at, scene.say[0].pauses[0].seconds) == (0.5, 0.8)
    assert scene.expect[0].today is not None
    assert scene.expect[0].today.within_ms == 1200


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("after:", "afetr:", "expect.0.afetr"),
        ("event: agent_starts", "event: agent_sings", "expect.0.event"),
        ("sentence.end", "sentense.end", "'sentense'"),
        ("sentence.end", "sentence", "expect.0.after"),
        ("at: 0.5,", "", "`at` or `cue`"),
        ("within_ms: 900", "within_ms: soon", "expect.0.within_ms"),
        ("within_ms: 900", "absent: true", "today.within_ms"),
        ("{within_ms: 1200}", "{within_ms: 800}", "no longer than what is wanted"),
        ("{within_ms: 1200}", "{fails: false}", "expect.0.today.fails"),
        ("within_ms: 900", "within_ms: 900, says: hello", "`says` is for turns"),
        ("id: sentence", "id: agent", "agent"),
        ("title: A sentence is answered", "tilte: A sentence is answered", "tilte"),
    ],
)
def test_a_mistake_is_named(old: str, new: str, named: str) -> None:
    """Nothing that is misspelt is passed over in silence: the scene would prove less than it seems to."""
    with pytest.raises(SceneError, match=named.replace(".", r"\.")):
        parse_scene(SCENE.replace(old, new, 1))


@pytest.mark.parametrize("text", ["", "[]", "title: x", "{", "title: A scene that expects nothing\nexpect: []"])
def test_what_is_no_scene_is_refused(text: str) -> None:
    """An empty file, a list, half a scene."""
    with pytest.raises(SceneError):
        parse_scene(text)


@pytest.mark.parametrize("file", scene_files(), ids=lambda file: file.stem)
def test_every_scene_can_be_read_and_has_its_clips(file: "object") -> None:
    """No scene waits for the day on which somebody plays it to be found broken."""
    scene = load_scene(file)  # type: ignore[arg-type]
    clips = [said.clip for said in scene.say] + ([scene.noise.clip] if scene.noise else [])
    assert all(len(load_clip(clip)) for clip in clips)


def test_a_clip_that_is_not_there_is_named() -> None:
    """The message says which one."""
    with pytest.raises(SceneError, match="no_such_clip"):
        load_clip("no_such_clip")


def test_every_sound_has_its_source_and_licence() -> None:
    """What is not a recording of words is described, too, and its licence is in the folder."""
    import json

    folder = AUDIO_DIR / "sounds"
    sounds = json.loads((folder / "sounds.json").read_text(encoding="utf-8"))
    assert {sound["file"] for sound in sounds.values()} == {file.name for file in folder.glob("*.wav")}
    for sound in sounds.values():
        assert sound["what"]
        assert sound["package"]
        licences = [word.strip("(),;") for word in sound["licence"].split() if "licences/" in word]
        assert licences
        assert all((AUDIO_DIR / licence).is_file() for licence in licences)

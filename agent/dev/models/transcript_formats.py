"""A transcript in the formats of the OpenAI API: json, text, verbose_json, srt and vtt."""

from collections.abc import Sequence

from agent.dev.models.transcription import Segment

LANGUAGE = "english"


def joined(segments: Sequence[Segment]) -> str:
    """The whole text."""
    return " ".join(segment.text for segment in segments)


def verbose(segments: Sequence[Segment], duration: float) -> dict[str, object]:
    """The body of `verbose_json`; Moonshine gives no token probabilities, so those members are 0.

    Args:
        segments: what was said.
        duration: of the recording, in seconds.
    """
    return {
        "task": "transcribe",
        "language": LANGUAGE,
        "duration": round(duration, 3),
        "text": joined(segments),
        "segments": [
            {
                "id": index,
                "seek": 0,
                "start": round(segment.start, 3),
                "end": round(segment.end, 3),
                "text": segment.text,
                "tokens": [],
                "temperature": 0.0,
                "avg_logprob": 0.0,
                "compression_ratio": 0.0,
                "no_speech_prob": 0.0,
            }
            for index, segment in enumerate(segments)
        ],
        "usage": {"type": "duration", "seconds": round(duration, 3)},
    }


def subtitles(segments: Sequence[Segment], *, webvtt: bool) -> str:
    """The body of `vtt` or `srt`."""
    mark = "." if webvtt else ","
    blocks = []
    for number, segment in enumerate(segments, start=1):
        times = f"{_clock(segment.start, mark)} --> {_clock(segment.end, mark)}"
        blocks.append(f"{times}\n{segment.text}\n" if webvtt else f"{number}\n{times}\n{segment.text}\n")
    return "\n".join((["WEBVTT\n"] if webvtt else []) + blocks)


def _clock(seconds: float, mark: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{mark}{milliseconds:03}"

"""Scores of Smart Turn v3; a script for the Python of an environment with onnxruntime, numpy and pipecat's wheel.

Reads utterances from an .npz file (16 kHz, between -1 and 1, each under its number), writes a JSON list of
probabilities that the turn is complete. Only the model and its feature extraction are taken from the wheel, by their
paths: importing pipecat would need all that it depends on.
"""

import importlib.metadata
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

PACKAGE = "pipecat/audio/turn/smart_turn"
MODEL = f"{PACKAGE}/data/smart-turn-v3.2-cpu.onnx"
FEATURES = f"{PACKAGE}/_whisper_features.py"
RATE = 16_000
WINDOW_S = 8


def main(source: str, target: str) -> None:
    """Score each utterance of `source` and write the list to `target`."""
    wheel = importlib.metadata.distribution("pipecat-ai")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(wheel.locate_file(MODEL)), sess_options=options)
    features = _load(Path(str(wheel.locate_file(FEATURES)))).compute_whisper_log_mel_features
    scores = []
    with np.load(source) as utterances:
        for index in range(len(utterances.files)):
            # As pipecat does it: the last eight seconds, shorter ones with silence before them.
            audio = utterances[str(index)][-WINDOW_S * RATE :].astype(np.float32)
            padded = np.pad(audio, (WINDOW_S * RATE - len(audio), 0))
            inputs = {"input_features": features(padded, do_normalize=True)[None]}
            scores.append(float(session.run(None, inputs)[0].reshape(-1)[0]))
    Path(target).write_text(json.dumps(scores))


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("smart_turn_features", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Moonshine's weights on ONNX Runtime: an utterance in, words out.

The weights are those in the wheel of moonshine-voice. Its own library is not used: for the same words it takes twice as
long and three times the CPU (docs/turn-taking.md), has no setting for its threads, and cannot be told what it wrote of
the same utterance a second ago.
"""

import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions

from agent.dev.models.samples import HEARING_RATE, Samples

BEGIN, END = 1, 2
LAYERS, HEADS, HEAD_SIZE = 6, 8, 36
# More tokens than anybody can say: without a bound a noise may be written as one word again and again. The library's
# own bound, 6.5, cuts off the end of quick speech ("…at 7:30 p" for "7:30 p.m. please.").
MOST_TOKENS_PER_S = 13
# The encoder's filters need some sound at least.
SHORTEST_S = 0.25
SPACE = "▁".encode()
# What the decoder is given for sound where there is text alone.
SILENCE_S = 4.0

Tokens = tuple[int, ...]
Arrays = dict[str, NDArray[np.generic]]

_ENCODER_CACHE = [f"{layer}.encoder.{kind}" for layer in range(LAYERS) for kind in ("key", "value")]
_DECODER_CACHE = [f"{layer}.decoder.{kind}" for layer in range(LAYERS) for kind in ("key", "value")]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of an utterance.

    Attributes:
        tokens: the words.
        first: the logarithm of how likely the first token was to the model; a sound that is no word gets one that is
            not.
    """

    tokens: Tokens
    first: float


@dataclass(slots=True)
class _Decoding:
    """One utterance that is being written: what the decoder needs of the steps before."""

    inputs: Arrays
    written: list[int]
    first: float = 0.0

    def keep(self, length: int) -> None:
        """Forget what the decoder remembers after so many tokens."""
        for name in _DECODER_CACHE:
            self.inputs[f"past_key_values.{name}"] = self.inputs[f"past_key_values.{name}"][:, :, :length]


class Moonshine:
    """The model; one utterance at a time.

    It has one thread: with a second an utterance of 3.5 s takes 51 instead of 66 ms where nothing else runs, and three
    times as long where something does, as the two wait for each other several hundred times.

    Args:
        folder: of the weights.
    """

    def __init__(self, folder: Path) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        providers = ["CPUExecutionProvider"]
        self._encoder = InferenceSession(str(folder / "encoder_model.ort"), options, providers=providers)
        self._decoder = InferenceSession(str(folder / "decoder_model_merged.ort"), options, providers=providers)
        self.vocabulary = read_vocabulary((folder / "tokenizer.bin").read_bytes())
        self._silence = self._begin(self._encode(np.zeros(int(SILENCE_S * HEARING_RATE), np.float32)))
        self._judge(self._silence, ())
        self._silence.keep(0)

    def write(self, samples: Samples, draft: Tokens = ()) -> Written:
        """An utterance as tokens, each the likeliest after those before it.

        Args:
            samples: 16 kHz mono between -1 and 1.
            draft: what it probably begins with. All of it is judged at once, which takes as long as writing one or two
                tokens; what the model would not have written ends it.
        """
        decoding = self._begin(self._encode(samples))
        most = math.ceil(len(samples) / HEARING_RATE * MOST_TOKENS_PER_S)
        token = self._judge(decoding, draft[:most])
        while token != END and len(decoding.written) < most:
            decoding.written.append(token)
            token = int(self._step(decoding, [token], _DECODER_CACHE)[-1].argmax())
        return Written(tuple(decoding.written), decoding.first)

    def expected(self, tokens: Tokens) -> NDArray[np.float64]:
        """How likely each token of the vocabulary is after these, going by the text alone.

        May be called while another thread writes.
        """
        reading = _Decoding(dict(self._silence.inputs), [])
        return _shares(self._step(reading, [BEGIN, *tokens], [])[-1])

    def text(self, tokens: Tokens) -> str:
        """What tokens say."""
        written = b"".join(self.vocabulary[token] for token in tokens)
        return written.replace(SPACE, b" ").decode(errors="ignore").strip()

    def _encode(self, samples: Samples) -> NDArray[np.float32]:
        padded = np.pad(samples, (0, max(0, int(SHORTEST_S * HEARING_RATE) - len(samples))))
        inputs = {"input_values": padded[np.newaxis], "attention_mask": np.ones((1, len(padded)), np.int64)}
        encoded: NDArray[np.float32] = self._encoder.run(None, inputs)[0]
        return encoded

    def _begin(self, encoded: NDArray[np.float32]) -> _Decoding:
        nothing = np.zeros((1, HEADS, 0, HEAD_SIZE), np.float32)
        inputs: Arrays = {f"past_key_values.{name}": nothing for name in [*_ENCODER_CACHE, *_DECODER_CACHE]}
        # The decoder takes every 384th value of the mask, one for each vector of the encoder.
        inputs["encoder_attention_mask"] = np.ones((1, 384 * (encoded.shape[1] + 1)), np.int64)
        inputs["encoder_hidden_states"] = encoded
        inputs["use_cache_branch"] = np.array([False])
        return _Decoding(inputs, [])

    def _judge(self, decoding: _Decoding, draft: Tokens) -> int:
        """Take over what the model would have written itself of a draft; the token that comes next."""
        logits = self._step(decoding, [BEGIN, *draft], [*_ENCODER_CACHE, *_DECODER_CACHE])
        likeliest = logits.argmax(axis=-1)
        decoding.first = math.log(_shares(logits[0]).max())
        right = 0
        while right < len(draft) and likeliest[right] == draft[right]:
            right += 1
        decoding.written.extend(draft[:right])
        decoding.keep(1 + right)
        decoding.inputs["use_cache_branch"] = np.array([True])
        return int(likeliest[right])

    def _step(self, decoding: _Decoding, tokens: list[int], remembered: list[str]) -> NDArray[np.float32]:
        """Let the decoder read tokens; how much speaks for each token of the vocabulary after each of them."""
        decoding.inputs["input_ids"] = np.array([tokens], np.int64)
        outputs = ["logits", *(f"present.{name}" for name in remembered)]
        logits, *cache = self._decoder.run(outputs, decoding.inputs)
        for name, values in zip(remembered, cache, strict=True):
            decoding.inputs[f"past_key_values.{name}"] = values
        after: NDArray[np.float32] = logits[0]
        return after


def _shares(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """How likely each token of the vocabulary is."""
    likely = np.exp(logits.astype(np.float64) - logits.max())
    shares: NDArray[np.float64] = likely / likely.sum()
    return shares


def weights() -> Path:
    """The folder of the weights inside the wheel.

    Raises:
        RuntimeError: the wheel is not there; those from 0.1 on have no weights.
    """
    spec = importlib.util.find_spec("moonshine_voice")
    if spec is None or spec.origin is None:
        raise RuntimeError("moonshine-voice is not installed")
    folder = Path(spec.origin).parent / "assets" / "tiny-en"
    if not folder.is_dir():
        raise RuntimeError("this version of moonshine-voice has no weights in its wheel; install 0.0.73")
    return folder


def read_vocabulary(data: bytes) -> list[bytes]:
    """The tokens of a `tokenizer.bin`: each its length, in one byte or from 128 on in two, and its bytes."""
    tokens = []
    at = 0
    while at < len(data):
        length = data[at]
        at += 1
        if length >= 128:
            length += 128 * (data[at] - 1)
            at += 1
        tokens.append(data[at : at + length])
        at += length
    return tokens

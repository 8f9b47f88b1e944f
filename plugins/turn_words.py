"""What the words so far say about whether a sentence is finished, somebody thinks, or only listens. Pure.

The lists are English; in another language the marks and the number of words are left.
"""

import re
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A sentence hardly ever ends with one of these, whatever mark the recogniser puts behind it.
OPEN_WORDS = _words(
    """
    a an the my your his its our their these those every each
    of to in on at for from with by about into onto than as over under between through without
    and but or nor so because if unless although though while whether when which whose
    i'm we're you're they're he's she's it's there's i'd i'll let's very quite
    """
)
# But a question does with one of these ("Which folder should it go to?"), which a statement seldom does.
PREPOSITIONS = _words("of to in on at for from with by about into over under between through without")
# And any sentence does with a verb of two words ("Nothing is going on.", "Come in.").
VERBS_OF_TWO_WORDS = frozenset(
    (verb, particle)
    for particle, verbs in {
        "in": "come comes coming came log logged sign signed check checked fill filled join move moved give gave",
        "on": "go goes going went gone come comes hold move carry carried turn turned switch keep put log sign",
    }.items()
    for verb in verbs.split()
)
# With one of these it does now and then ("I know that.", "as he was").
OFTEN_OPEN_WORDS = _words(
    """
    this that who where what how there i we they he she
    is are was were am be been being has have had having
    will would can could should may might must shall do does did
    not too more most rather any some no
    """
)
# Sounds and words after which somebody who searches for words goes on.
HESITATIONS = _words("um uh er erm hm hmm mm ah well like")
# Whole answers that consist of such a word.
ANSWERS = _words("no so what who where how when well")
# What people say and then wait.
WHOLE_TURNS = _words("yes no yeah yep nope sure thanks hello hi hey bye goodbye please stop exactly correct right")
# Sounds and words of somebody who has said nothing yet, and thinks what to say.
FILLERS = _words("um uh er erm hmm hm mm ah eh well so okay ok like and but you know i mean")
# What a listener says to show that they listen.
BACKCHANNELS = _words(
    """
    mm mmm hm hmm mhm mmhm mm-hm mm-hmm uh-huh uhuh huh yeah yep yes yup ok okay right sure i see
    ah oh aha wow really good great nice true exactly of course go on
    """
)
BACKCHANNEL_WORDS = 3
# What Moonshine makes of a hum or a cough; nobody interrupts with one of these and nothing else.
HUMS_AS_WORDS = _words("and the a an of in on to you me there her him them it i")

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_FINAL_MARK = re.compile(r"[.?!][\"'”’]?\s*$")
_QUESTION = re.compile(r"\?[\"'”’]?\s*$")
_COMMA = re.compile(r"(?:[,:-]|…|\.\.\.)\s*$")


@dataclass(frozen=True, slots=True)
class Words:
    """What can be told of a transcript without a model.

    Attributes:
        count: how many words there are.
        final_mark: it ends with a full stop, a question mark or an exclamation mark.
        comma: it ends with a comma or another mark after which a sentence goes on.
        open_word: its last word asks for another one.
        often_open_word: its last word often does.
        hesitation: its last word is "um" or the like.
        fillers: all its words are of somebody who thinks; so are no words at all.
        whole_turn: it is one word that people say and then wait, whatever mark the recogniser puts behind it.
    """

    count: int
    final_mark: bool
    comma: bool
    open_word: bool
    often_open_word: bool
    hesitation: bool
    fillers: bool
    whole_turn: bool

    @property
    def complete(self) -> bool:
        """Whether the words alone look like a finished sentence."""
        return self.final_mark and not (self.open_word or self.often_open_word or self.hesitation)


def read_words(text: str) -> Words:
    """Look at a transcript as a recogniser that punctuates gives it."""
    spoken = words(text)
    last = spoken[-1] if spoken else ""
    answer = len(spoken) == 1 and last in ANSWERS
    comma = bool(_COMMA.search(text))
    final_mark = bool(_FINAL_MARK.search(text)) and not comma
    return Words(
        count=len(spoken),
        final_mark=final_mark,
        comma=comma,
        open_word=last in OPEN_WORDS and not answer and not (final_mark and _closes(spoken, text)),
        often_open_word=last in OFTEN_OPEN_WORDS and not answer,
        hesitation=last in HESITATIONS and not answer,
        fillers=all(word in FILLERS for word in spoken),
        whole_turn=len(spoken) == 1 and last in WHOLE_TURNS,
    )


def _closes(spoken: list[str], text: str) -> bool:
    """Whether the last word may end this sentence, though it asks for another one elsewhere."""
    question = bool(_QUESTION.search(text)) and spoken[-1] in PREPOSITIONS
    return question or tuple(spoken[-2:]) in VERBS_OF_TWO_WORDS


def is_backchannel(text: str) -> bool:
    """Whether words said while the agent speaks only show that somebody listens."""
    spoken = words(text)
    if len(spoken) == 1 and spoken[0] in HUMS_AS_WORDS:
        return True
    return len(spoken) <= BACKCHANNEL_WORDS and all(word in BACKCHANNELS for word in spoken)


def words(text: str) -> list[str]:
    """Lower-case words; the apostrophe and the hyphen belong to them."""
    return _WORD.findall(text.lower().replace("’", "'"))

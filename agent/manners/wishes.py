"""What a user may ask of the agent's voice, as whole utterances: to say it again, slower, or faster. No I/O."""

import re
from enum import Enum

from agent.phrases import in_language

_NO_WORD = re.compile(r"[^\w\s]|_")
_APOSTROPHE = re.compile(r"['’]")
# Longer ones say something else too.
MOST_WORDS = 12


class Wish(Enum):
    """What is asked for."""

    AGAIN = "say the last reply again"
    SLOWER = "speak slower from now on"
    FASTER = "speak faster from now on"


# Whole utterances in plain words, without punctuation and apostrophes. "Again!" alone is for the model: it may well
# mean that something is to be done once more.
_EN_ASK = "(?:(?:could|can|would|will) you (?:please )?|please )?"
PATTERNS: dict[str, dict[Wish, str]] = {
    "en": {
        Wish.AGAIN: rf"{_EN_ASK}(?:say (?:that|it|this)(?: one more time| once more| again)|repeat(?: that| it| this)?"
        r"(?: again| once more)?)|(?:come|say) again|(?:i beg your )?pardon(?: me)?"
        r"|(?:sorry )?what (?:was that|did you (?:just )?say)",
        Wish.SLOWER: rf"{_EN_ASK}(?:speak|talk|go|say (?:it|that))(?: a (?:little )?bit| a little)?"
        r"(?: slower| more slowly| slowly)|(?:a (?:little )?bit |a little )?(?:slower|more slowly)|slow down"
        rf"|{_EN_ASK}slow down(?: a (?:little )?bit| a little)?|you (?:are |re )?(?:speaking |talking )?too fast"
        r"|youre (?:speaking |talking )?too fast",
        Wish.FASTER: rf"{_EN_ASK}(?:speak|talk|go)(?: a (?:little )?bit| a little)?(?: faster| more quickly)"
        r"|(?:a (?:little )?bit |a little )?faster|(?:you are |youre )(?:speaking |talking )?too slow(?:ly)?",
    },
    "de": {
        Wish.AGAIN: r"(?:(?:können|könnten|würden) sie |(?:kannst|könntest) du )?(?:das )?(?:bitte )?"
        r"noch ?(?:ein)?mal"
        r"(?: sagen| wiederholen)|(?:sag|sagen sie|wiederhole?|wiederholen sie) das(?: noch ?(?:ein)?mal)?"
        r"|(?:(?:können|könnten) sie|(?:kannst|könntest) du) das (?:bitte )?wiederholen|wie bitte"
        r"|was (?:haben sie|hast du) gesagt",
        Wish.SLOWER: r"(?:etwas |ein bisschen )?langsamer(?: sprechen)?"
        r"|(?:sprich|sprechen sie|rede|reden sie) (?:etwas |ein bisschen )?langsamer"
        r"|(?:(?:können|könnten) sie|(?:kannst|könntest) du) (?:etwas |ein bisschen )?langsamer (?:sprechen|reden)"
        r"|(?:das ist |sie sprechen |du sprichst )?zu schnell",
        Wish.FASTER: r"(?:etwas |ein bisschen )?schneller(?: sprechen)?"
        r"|(?:sprich|sprechen sie|rede|reden sie) (?:etwas |ein bisschen )?schneller"
        r"|(?:(?:können|könnten) sie|(?:kannst|könntest) du) (?:etwas |ein bisschen )?schneller (?:sprechen|reden)",
    },
    "es": {
        Wish.AGAIN: r"(?:(?:puede|podría|puedes|podrías) )?(?:repetir(?:lo)?|repita|repite|repítalo|repítelo)"
        r"(?: eso)?(?: otra vez)?|(?:dígalo|dilo) otra vez|cómo(?: dice| dices| ha dicho)?"
        r"|qué (?:ha dicho|has dicho)",
        Wish.SLOWER: r"(?:(?:puede|podría|puedes|podrías) hablar |hable |habla )?(?:un poco )?más (?:despacio|lento)"
        r"|(?:habla(?:s)? )?demasiado rápido",
        Wish.FASTER: r"(?:(?:puede|podría|puedes|podrías) hablar |hable |habla )?(?:un poco )?más (?:rápido|deprisa)",
    },
    "fr": {
        Wish.AGAIN: r"(?:(?:pouvez|pourriez) vous|(?:peux|pourrais) tu) (?:répéter|redire)(?: ça| cela)?"
        r"|répétez|répète|redites le|pardon|comment|quavez vous dit|quas tu dit",
        Wish.SLOWER: r"(?:(?:(?:pouvez|pourriez) vous|(?:peux|pourrais) tu) parler |parlez |parle )?(?:un peu )?"
        r"(?:plus lentement|moins vite)|(?:vous parlez |tu parles |cest )?trop vite",
        Wish.FASTER: r"(?:(?:(?:pouvez|pourriez) vous|(?:peux|pourrais) tu) parler |parlez |parle )?(?:un peu )?"
        r"plus vite",
    },
}
_FILLERS = {
    "en": r"(?:sorry |excuse me |hey |okay |ok |um |uh |please )*",
    "de": r"(?:entschuldigung |bitte |äh |ähm )*",
    "es": r"(?:perdón |perdone |disculpe |por favor )*",
    "fr": r"(?:pardon |excusez moi |désolé )*",
}
_ENDINGS = {
    "en": r"(?: please| for me)*",
    "de": r"(?: bitte)?",
    "es": r"(?: por favor)?",
    "fr": r"(?: sil vous plaît| sil te plaît)?",
}
_COMPILED = {
    language: {
        wish: re.compile(f"{_FILLERS[language]}(?:{pattern}){_ENDINGS[language]}") for wish, pattern in patterns.items()
    }
    for language, patterns in PATTERNS.items()
}


def wish_in(text: str, language: str) -> Wish | None:
    """The wish that a whole utterance is; None when it says anything else, or more.

    Args:
        text: what the user said or typed.
        language: the language of the call, as a tag. English is understood in every language without words here.
    """
    words = _NO_WORD.sub(" ", _APOSTROPHE.sub("", text.lower())).split()
    if not words or len(words) > MOST_WORDS:
        return None
    plain = " ".join(words)
    for wish, pattern in in_language(_COMPILED, language).items():
        if pattern.fullmatch(plain):
            return wish
    return None

"""Whether words are an explicit yes. Pure: a table for each language and one rule; in doubt it is no."""

import re
from dataclasses import dataclass

MAX_WORDS = 16


@dataclass(frozen=True, slots=True)
class Words:
    """The words of consent in one language.

    Attributes:
        firm: what makes a yes when it comes first, whatever follows that is not `against`.
        soft: what is a yes only among nothing but words of consent.
        filler: what may stand beside them and says nothing.
        against: what makes any yes unclear: no, but, if, and questions.
    """

    firm: frozenset[str]
    soft: frozenset[str]
    filler: frozenset[str]
    against: frozenset[str]

    @classmethod
    def of(cls, firm: str, soft: str, filler: str, against: str) -> "Words":
        """Each as words with spaces between."""
        return cls(*(frozenset(words.split()) for words in (firm, soft, filler, against)))


LANGUAGES = {
    "en": Words.of(
        firm="yes yeah yep yup absolutely definitely certainly confirm confirmed agreed affirmative",
        soft="ok okay sure right correct fine perfect great good please go ahead do",
        filler="um uh well oh ah hm it that that's is the thanks thank you so now then exactly all",
        against="no not nope never don't dont wait stop cancel but instead hold later unless if change wrong nothing "
        "what when how why which who where can't cannot before",
    ),
    "de": Words.of(
        firm="ja jawohl jep jo einverstanden bestätigt bestätige unbedingt",
        soft="ok okay klar gerne gern genau richtig sicher gut perfekt bitte nur zu mach machen tu tun",
        filler="äh ähm also ach hm das es sie so danke dann jetzt ist mal doch",
        against="nein nicht nee kein keine nie niemals warte warten moment stopp abbrechen aber stattdessen später "
        "falls wenn falsch was wann wie warum welche wer wo vorher",
    ),
    "es": Words.of(
        firm="sí confirmo confirmado adelante afirmativo",
        soft="si claro vale ok okay correcto exacto perfecto bien de acuerdo por supuesto hazlo hágalo favor",
        filler="eh ah pues bueno está es eso lo gracias ahora entonces",
        against="no nunca espera espere para cancela cancelar pero después luego cambia mejor qué cuándo cómo cuál "
        "quién dónde antes",
    ),
    "fr": Words.of(
        firm="oui ouais confirme confirmé absolument certainement volontiers",
        soft="ok okay d'accord bien sûr parfait exact exactement vas-y allez-y faites-le fais-le c'est bon",
        filler="euh ah ben alors s'il vous te plaît merci je le ça maintenant",
        against="non pas jamais attends attendez arrête arrêtez annule annuler annulez mais plutôt sauf faux change "
        "quoi quand comment pourquoi quel quelle qui où avant",
    ),
}
_WORD = re.compile(r"[\w'-]+")


def is_yes(text: str, language: str) -> bool:
    """Whether words can only mean yes, in the agent's language or in English.

    Args:
        text: what somebody said or typed.
        language: a language tag such as `de` or `de-AT`.
    """
    words = [word.strip("-'") for word in _WORD.findall(text.lower().replace("’", "'"))]
    words = [word for word in words if word]
    tables = [LANGUAGES[code] for code in {language.partition("-")[0].lower(), "en"} if code in LANGUAGES]
    if not words or len(words) > MAX_WORDS or "?" in text:
        return False
    if any(not table.against.isdisjoint(words) for table in tables):
        return False
    return any(_is_yes(words, table) for table in tables)


def _is_yes(words: list[str], table: Words) -> bool:
    begun = [word for word in words if word not in table.filler]
    if begun and begun[0] in table.firm:
        return True
    return bool(begun) and all(word in table.firm or word in table.soft for word in begun)

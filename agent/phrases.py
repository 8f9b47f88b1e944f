"""What the agent says by itself, in its language; English where a language is missing."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

Entry = TypeVar("Entry")


class Phrase(StrEnum):
    """Something that the agent says without being told by a model."""

    STILL_WAITING = "still waiting"
    NO_ANSWER = "no answer"
    CUT_OFF = "cut off"
    GIVEN_UP = "given up"
    START_AGAIN = "start again"
    CANNOT_THINK = "cannot think"
    CANNOT_HEAR = "cannot hear"
    STILL_WORKING = "still working"
    UNKNOWN_OUTCOME = "unknown outcome"
    STILL_THERE = "still there"
    NOBODY_THERE = "nobody there"
    ENDING_SOON = "ending soon"
    OUT_OF_TIME = "out of time"
    GOODBYE = "goodbye"
    SLOWER = "slower"
    FASTER = "faster"
    RECORDED = "recorded"


PHRASES: dict[str, dict[Phrase, str]] = {
    "en": {
        Phrase.STILL_WAITING: "One moment, I am still waiting for an answer.",
        Phrase.NO_ANSWER: "I am sorry, I cannot get an answer right now. Please try again in a moment.",
        Phrase.CUT_OFF: "Sorry, we were cut off.",
        Phrase.GIVEN_UP: "I am sorry, our call keeps breaking off. Please go on in writing.",
        Phrase.START_AGAIN: "Let me start again.",
        Phrase.CANNOT_THINK: "I am sorry, I cannot think right now, please try again in a moment.",
        Phrase.CANNOT_HEAR: "I am sorry, I cannot understand you right now. One moment, please.",
        Phrase.STILL_WORKING: "One moment, I am still working on it.",
        Phrase.UNKNOWN_OUTCOME: "A call broke off while this was running. It is not known whether it took effect, "
        "and it is not tried again by itself.",
        Phrase.STILL_THERE: "Are you still there?",
        Phrase.NOBODY_THERE: "I have not heard from you for a while, so I will end our conversation here. Goodbye!",
        Phrase.ENDING_SOON: "Just so that you know: we have to come to an end soon.",
        Phrase.OUT_OF_TIME: "We have to stop here. Thank you for the conversation, and goodbye!",
        Phrase.GOODBYE: "Goodbye!",
        Phrase.SLOWER: "All right, I will speak more slowly.",
        Phrase.FASTER: "All right, I will speak a little faster.",
        Phrase.RECORDED: "This call is being recorded.",
    },
    "de": {
        Phrase.STILL_WAITING: "Einen Moment, ich warte noch auf eine Antwort.",
        Phrase.NO_ANSWER: "Es tut mir leid, ich bekomme gerade keine Antwort. Bitte versuchen Sie es gleich wieder.",
        Phrase.CUT_OFF: "Entschuldigung, wir wurden unterbrochen.",
        Phrase.GIVEN_UP: "Es tut mir leid, unser Gespräch bricht immer wieder ab. Bitte schreiben Sie hier weiter.",
        Phrase.START_AGAIN: "Ich fange noch einmal an.",
        Phrase.CANNOT_THINK: "Es tut mir leid, ich kann gerade nicht denken. Bitte versuchen Sie es gleich wieder.",
        Phrase.CANNOT_HEAR: "Es tut mir leid, ich kann Sie gerade nicht verstehen. Einen Moment, bitte.",
        Phrase.STILL_WORKING: "Einen Moment, ich bin noch dabei.",
        Phrase.UNKNOWN_OUTCOME: "Ein Gespräch brach ab, während dies lief. Es ist nicht bekannt, ob es ausgeführt "
        "wurde, und es wird nicht von selbst wiederholt.",
        Phrase.STILL_THERE: "Sind Sie noch da?",
        Phrase.NOBODY_THERE: "Ich habe länger nichts von Ihnen gehört und beende nun das Gespräch. Auf Wiederhören!",
        Phrase.ENDING_SOON: "Nur damit Sie es wissen: Wir müssen bald zum Ende kommen.",
        Phrase.OUT_OF_TIME: "Wir müssen hier aufhören. Vielen Dank für das Gespräch und auf Wiederhören!",
        Phrase.GOODBYE: "Auf Wiederhören!",
        Phrase.SLOWER: "Gut, ich spreche langsamer.",
        Phrase.FASTER: "Gut, ich spreche etwas schneller.",
        Phrase.RECORDED: "Dieses Gespräch wird aufgezeichnet.",
    },
    "es": {
        Phrase.STILL_WAITING: "Un momento, todavía espero una respuesta.",
        Phrase.NO_ANSWER: "Lo siento, ahora mismo no recibo respuesta. Inténtelo de nuevo en un momento.",
        Phrase.CUT_OFF: "Disculpe, se ha cortado la llamada.",
        Phrase.GIVEN_UP: "Lo siento, la llamada se corta una y otra vez. Siga por escrito, por favor.",
        Phrase.START_AGAIN: "Empiezo de nuevo.",
        Phrase.CANNOT_THINK: "Lo siento, ahora mismo no puedo pensar. Inténtelo de nuevo en un momento.",
        Phrase.CANNOT_HEAR: "Lo siento, ahora mismo no puedo entenderle. Un momento, por favor.",
        Phrase.STILL_WORKING: "Un momento, todavía estoy en ello.",
        Phrase.UNKNOWN_OUTCOME: "Una llamada se cortó mientras esto estaba en curso. No se sabe si se llevó a cabo, "
        "y no se repite por sí solo.",
        Phrase.STILL_THERE: "¿Sigue ahí?",
        Phrase.NOBODY_THERE: "Hace un rato que no sé nada de usted, así que termino aquí la conversación. ¡Adiós!",
        Phrase.ENDING_SOON: "Solo para que lo sepa: tendremos que terminar pronto.",
        Phrase.OUT_OF_TIME: "Tenemos que terminar aquí. Gracias por la conversación. ¡Adiós!",
        Phrase.GOODBYE: "¡Adiós!",
        Phrase.SLOWER: "De acuerdo, hablaré más despacio.",
        Phrase.FASTER: "De acuerdo, hablaré un poco más rápido.",
        Phrase.RECORDED: "Esta llamada se está grabando.",
    },
    "fr": {
        Phrase.STILL_WAITING: "Un instant, j'attends encore une réponse.",
        Phrase.NO_ANSWER: "Je suis désolé, je n'obtiens pas de réponse. Réessayez dans un instant, s'il vous plaît.",
        Phrase.CUT_OFF: "Excusez-moi, nous avons été coupés.",
        Phrase.GIVEN_UP: "Je suis désolé, l'appel ne cesse de se couper. Continuez par écrit, s'il vous plaît.",
        Phrase.START_AGAIN: "Je recommence.",
        Phrase.CANNOT_THINK: "Je suis désolé, je ne peux pas réfléchir en ce moment. Réessayez dans un instant.",
        Phrase.CANNOT_HEAR: "Je suis désolé, je ne peux pas vous comprendre en ce moment. Un instant, s'il vous plaît.",
        Phrase.STILL_WORKING: "Un instant, j'y travaille encore.",
        Phrase.UNKNOWN_OUTCOME: "Un appel a été coupé pendant que ceci était en cours. On ne sait pas si cela a été "
        "fait, et rien n'est relancé automatiquement.",
        Phrase.STILL_THERE: "Êtes-vous toujours là ?",
        Phrase.NOBODY_THERE: "Je suis sans nouvelles de vous, je mets donc fin à notre conversation. Au revoir !",
        Phrase.ENDING_SOON: "Pour information : nous devrons bientôt terminer.",
        Phrase.OUT_OF_TIME: "Nous devons nous arrêter ici. Merci pour cette conversation, et au revoir !",
        Phrase.GOODBYE: "Au revoir !",
        Phrase.SLOWER: "Bien, je parle plus lentement.",
        Phrase.FASTER: "Bien, je parle un peu plus vite.",
        Phrase.RECORDED: "Cet appel est enregistré.",
    },
}


def say(phrase: Phrase, language: str) -> str:
    """The words of a phrase.

    Args:
        phrase: what is meant.
        language: a language tag such as `de` or `de-AT`.
    """
    return in_language(PHRASES, language).get(phrase, PHRASES["en"][phrase])


def in_language(entries: Mapping[str, Entry], language: str) -> Entry:
    """What stands for a language tag such as `de-AT` in a table by language; the English entry where it is missing."""
    return entries.get(language.partition("-")[0].lower(), entries["en"])


def is_own_phrase(text: str) -> bool:
    """Whether a text is one of these phrases, in any language, word for word."""
    return text.strip() in _ALL


_ALL = frozenset(text for phrases in PHRASES.values() for text in phrases.values())

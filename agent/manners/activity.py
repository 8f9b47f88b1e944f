"""What goes on in a call: who did something last, and whether somebody is at it or waits for an answer."""

import time
from collections.abc import Callable

from livekit.agents import AgentSession, AgentStateChangedEvent, UserInputTranscribedEvent, UserStateChangedEvent

from agent.brains.brain import Brain
from agent.conversation import Conversation
from agent.turns import Kind, Speaker, Turn

# A turn of the user whose end was not told is over all the same after so many seconds of silence: longer than any wait.
LONGEST_OPEN_S = 20.0
Clock = Callable[[], float]


class Activity:
    """Watches one call.

    Attributes:
        user_acted_at: when the user said something, typed or pressed a key last.
        stirred_at: when anybody did anything last.
        turns: how many turns the user took.
        on_change: told when somebody begins or stops speaking, or something that was said is over.

    Args:
        session: the call's session.
        conversation: where turns have their place.
        brain: who answers.
        tools_run: whether a tool is running.
        present: whether somebody is there to hear the agent.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        session: AgentSession[None],
        conversation: Conversation,
        brain: Brain,
        tools_run: Callable[[], bool],
        present: Callable[[], bool],
        clock: Clock = time.monotonic,
    ) -> None:
        self._session = session
        self._conversation = conversation
        self._brain = brain
        self._tools_run = tools_run
        self._present = present
        self._clock = clock
        # Since when the user has been saying something that is no turn yet.
        self._speech_at: float | None = None
        self.user_acted_at = self.stirred_at = clock()
        self.turns = 0
        self.on_change: Callable[[], None] = _nobody

    def listen(self) -> None:
        """From now on."""
        self._session.on("user_state_changed", self._on_user_state)
        self._session.on("user_input_transcribed", self._on_transcript)
        self._session.on("agent_state_changed", self._on_agent_state)
        self._conversation.listener = self._on_turn

    def user_acts(self) -> None:
        """The user does something that is no turn yet: types, or presses a key."""
        self.user_acted_at = self.stirred_at = self._clock()

    @property
    def question_open(self) -> bool:
        """Whether the user is saying something, or waits for an answer."""
        return self._session.user_state == "speaking" or self._is_speech_open() or self._brain.owes_answer

    @property
    def busy(self) -> bool:
        """Whether somebody speaks, an answer is under way, or nobody is there whom silence could mean anything to."""
        return (
            self.question_open
            or self._session.agent_state in ("speaking", "thinking")
            or self._session.current_speech is not None
            or self._tools_run()
            or not self._present()
        )

    def _is_speech_open(self) -> bool:
        return self._speech_at is not None and self._clock() - self._speech_at < LONGEST_OPEN_S

    def sound_was_no_turn(self) -> None:
        """What seemed to be the user's speech was a cough, or a hum."""
        self._speech_at = None
        self.on_change()

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        """A sound is not yet something that the user says: words have to come of it."""
        self.stirred_at = self._clock()
        if event.new_state == "speaking" or self._speech_at is not None:
            self._speech_at = self.stirred_at
        self.on_change()

    def _on_transcript(self, event: UserInputTranscribedEvent) -> None:
        if event.transcript:
            self.user_acts()
        if event.is_final:
            self._speech_at = None

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        self.stirred_at = self._clock()
        self.on_change()

    def _on_turn(self, turn: Turn) -> None:
        self.stirred_at = self._clock()
        if turn.speaker is Speaker.USER and turn.kind is Kind.SPEECH:
            self.user_acted_at = self.stirred_at
            self.turns += 1
        self.on_change()


def _nobody() -> None:
    """Nobody wants to know."""

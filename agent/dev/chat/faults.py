"""What can go wrong in the chat server on purpose: the quirks of the real services, each so that a test can have it.

A `FaultPlan` says what goes wrong, for whom and how often; `fault_switch.Faults` decides and counts. In one process,
give a `Faults` to `create_chat_app` and call its `switch(plan)` whenever you like; `caused` has the counts. For a
server in a process of its own, start it with CHAT_FAULTS=1 in its environment and `PUT` the plan to `/api/dev/faults`:

    {"seed": 7, "faults": [{"kind": "drop_after_storing", "dialect": "unpod", "who": "agent", "probability": 0.05},
                           {"kind": "deaf", "when": "connect", "times": 3}]}

`GET` answers `{"plan": …, "caused": {"deaf": 3, …}}`: how often each kind was really caused since the server began,
under all plans. A server that is killed takes its counts along: ask before. Without CHAT_FAULTS=1 the address never
exists.

| kind                | occasion                      | what happens                                                 |
|---------------------|-------------------------------|--------------------------------------------------------------|
| drop_on_connect     | a connection opens            | it ends with 1006 at once                                    |
| drop_before_storing | a message comes               | it is not stored; its connection ends with 1006              |
| drop_after_storing  | a message comes               | it is stored and shown to the others; its connection ends    |
|                     |                               | with 1006 before the echo                                    |
| freeze              | a question comes              | it is stored and shown to the others; then nothing is sent   |
|                     | (`question`, `next`)          | to its connection or taken from it for `seconds`, WebSocket  |
|                     |                               | pings excepted, which are answered; then 1006                |
| deaf                | a message comes, or, by       | its connection is shown nothing any more, its own echo       |
|                     | `when`, a connection opens    | included; all pings are answered, what it sends is stored    |
| deaf_in_new_thread  | a connection opens in a       | it is deaf: of two clients that open a new thread within     |
|                     | thread without messages       | `window_seconds` of each other, the second                   |
| empty_content       | "0", "null" or "false" comes  | it is stored and shown as the empty text                     |
| ids_ignored         | a message with an id comes    | the id counts for nothing: sent twice it is stored twice,    |
|                     |                               | under the server's ids (unpod keeps `conversation_type`)     |
| collided_places     | an unpod client reads         | of every `every` blocks the last has the `seq_number` and    |
|                     |                               | the `block_id` of the one before it, live and in history     |
| guide_only          | a guide client connects or    | the server knows nothing but the guide: see `GuideOnly`      |
|                     | reads                         |                                                              |

Two more need no switch. With `app_type=social` every block of an unpod client is dropped with 1006, counted as
`social`. And nothing is ever replayed after a reconnect: what came meanwhile is in the history alone.

`dialect`, `who` (the worker's token is `agent`, everybody else is `user`) and `conversation` narrow a fault down; they
are those of the connection that the occasion is about. A client without the unpod header counts as `guide` until its
first frame. One message ends its connection once: `drop_before_storing` comes before `drop_after_storing`, and that
before `freeze`. `collided_places` and `guide_only` are ways of seeing: they hold for the connections that open while
they are switched on, and should stay on as long as those. They are counted by collision and by connection.

Resets, stalls and slowness of the network are none of this: put a proxy between client and server for those.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.dev.chat.wire.dialect import DialectName
from agent.job import CONVERSATION_ID

Who = Literal["agent", "user"]


class Fault(BaseModel):
    """What every fault says: whom it is for; None is everybody, in any conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    dialect: DialectName | None = None
    who: Who | None = None
    conversation: Annotated[str | None, Field(pattern=CONVERSATION_ID)] = None


class Strike(Fault):
    """A fault that strikes at some of its occasions.

    The first `skip` occasions pass; then it strikes `times` times (None: without end), each time with `probability`.
    """

    kind: str
    skip: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int | None, Field(ge=1)] = None
    probability: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0


class DropOnConnect(Strike):
    """A server that accepts and drops."""

    kind: Literal["drop_on_connect"] = "drop_on_connect"


class DropBeforeStoring(Strike):
    """A message is lost on its way in."""

    kind: Literal["drop_before_storing"] = "drop_before_storing"


class DropAfterStoring(Strike):
    """A message is stored, and its sender is not told."""

    kind: Literal["drop_after_storing"] = "drop_after_storing"


class Freeze(Strike):
    """A question is stored, and its sender hears nothing for `seconds`, the end apart."""

    kind: Literal["freeze"] = "freeze"
    seconds: Annotated[float, Field(ge=0.0, le=600.0)] = 60.0


class Deaf(Strike):
    """A connection that is shown nothing more though it looks alive."""

    kind: Literal["deaf"] = "deaf"
    when: Literal["post", "connect"] = "post"


class DeafInNewThread(Strike):
    """The second of two clients that open a new thread within `window_seconds` is deaf."""

    kind: Literal["deaf_in_new_thread"] = "deaf_in_new_thread"
    window_seconds: Annotated[float, Field(gt=0.0, le=60.0)] = 0.05


class EmptyContent(Strike):
    """Contents that mean nothing in Python or JSON come back empty; a trailing space saves them."""

    kind: Literal["empty_content"] = "empty_content"


class IdsIgnored(Strike):
    """No id that a client gives is known again."""

    kind: Literal["ids_ignored"] = "ids_ignored"


class CollidedPlaces(Fault):
    """Two blocks of a thread in one place, as when two server processes count on their own."""

    kind: Literal["collided_places"] = "collided_places"
    dialect: Literal["unpod"] = "unpod"
    every: Annotated[int, Field(ge=2)] = 2


class GuideOnly(Fault):
    """A server that was written to the guide, and to nothing else.

    A `next` is stored as the user's and answered. Our fields count for nothing, ids neither; `attach`, `partial` and
    unknown actions do nothing. A message shows its text alone.

    Args:
        append: whether an `append` is stored too, as the user's and without an answer; else it does nothing.
        shape: which of the two shapes of the guide a message comes in (`event` and `payload`, `type` and `message`).
        bare: whether a message is a string instead of an object with `text`.
        history: whether there is a history, of the same messages without ids, or none (404).
    """

    kind: Literal["guide_only"] = "guide_only"
    dialect: Literal["guide"] = "guide"
    append: bool = True
    shape: Literal["event", "type"] = "event"
    bare: bool = False
    history: Literal["texts", "none"] = "none"


AnyFault = Annotated[
    DropOnConnect
    | DropBeforeStoring
    | DropAfterStoring
    | Freeze
    | Deaf
    | DeafInNewThread
    | EmptyContent
    | IdsIgnored
    | CollidedPlaces
    | GuideOnly,
    Field(discriminator="kind"),
]


class FaultPlan(BaseModel):
    """Everything that goes wrong; nothing by default. `seed` makes what is left to chance the same each time."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    faults: tuple[AnyFault, ...] = ()
    seed: int | None = None

    @model_validator(mode="after")
    def _chance_needs_a_seed(self) -> Self:
        if self.seed is None and any(isinstance(f, Strike) and f.probability < 1 for f in self.faults):
            raise ValueError("seed must be set where a probability is below 1")
        return self

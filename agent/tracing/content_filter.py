"""What may leave in a span: numbers, and those texts of which is known that they hold no content."""

from collections.abc import Mapping, Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from opentelemetry.util.types import AttributeValue

# Ids, names of models and kinds of things: never what a person said, wrote or is called.
TEXTS = frozenset(
    {
        "error.type",
        "exception.type",
        "gen_ai.conversation.id",
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "job_id",
        "lk.agent_name",
        "lk.blocking.severity",
        "lk.blocking.stack",
        "lk.blocking.task",
        "lk.callback.name",
        "lk.close_reason",
        "lk.connection_state",
        "lk.disconnect_reason",
        "lk.dispatch_id",
        "lk.eou.outcome",
        "lk.eou.source",
        "lk.generation_id",
        "lk.job.agent_id",
        "lk.job.worker_id",
        "lk.job_id",
        "lk.new_state",
        "lk.old_state",
        "lk.parent_generation_id",
        "lk.participant_kind",
        "lk.provider_request_ids",
        "lk.room_sid",
        "lk.shutdown.reason",
        "lk.speech_id",
        "lk.track_sid",
        "lk.track_source",
        "lk.tts.label",
        "room_id",
        "turn.channel",
        "turn.id",
        "turn.reply_to",
        "turn.speaker",
    }
)


class ContentFilter(SpanExporter):
    """Hands spans on without anything that may hold content, whatever the libraries put into them.

    The library's own filter takes out what it knows to be content; this one lets through what is known to be none.

    Args:
        exporter: gets what is left.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See `SpanExporter`."""
        return self._exporter.export([without_content(span) for span in spans])

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See `SpanExporter`."""
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """See `SpanExporter`."""
        self._exporter.shutdown()


def without_content(span: ReadableSpan) -> ReadableSpan:
    """The span with the attributes that may leave; a description of its status may not."""
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_allowed(span.attributes),
        events=[Event(event.name, _allowed(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _allowed(attributes: Mapping[str, AttributeValue] | None) -> dict[str, AttributeValue]:
    return {key: value for key, value in (attributes or {}).items() if key in TEXTS or _is_number(value)}


def _is_number(value: AttributeValue) -> bool:
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return all(isinstance(part, int | float) for part in value)
    return isinstance(value, int | float)

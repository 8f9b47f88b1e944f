"""Sends the spans of a job process to the collector that the settings name."""

from livekit.agents import telemetry
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from agent.settings import Settings
from agent.tracing.content_filter import ContentFilter

EXPORT_TIMEOUT_S = 3.0
# The library's span of a job, which ends after everything else.
ROOT_SPAN = "job_entrypoint"


class FlushAtEnd(SpanProcessor):
    """Sends what is left when the job's own span ends: the process goes right after it, without running exit handlers.

    Args:
        provider: the provider whose spans are sent.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def on_end(self, span: ReadableSpan) -> None:
        """See `SpanProcessor`; the call is over, so nobody hears this wait."""
        if span.name == ROOT_SPAN:
            self._provider.force_flush(int(EXPORT_TIMEOUT_S * 1000))


def send_spans(settings: Settings) -> None:
    """Send the spans of this process from now on, if a collector is configured; in a thread of their own."""
    if settings.otlp_endpoint:
        provider = provider_of(settings)
        trace.set_tracer_provider(provider)
        telemetry.set_tracer_provider(provider, allow_pii=False)


def provider_of(settings: Settings) -> TracerProvider:
    """What makes spans and sends them to the collector of the settings."""
    exporter = OTLPSpanExporter(
        endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces",
        headers=settings.otlp_header_fields(),
        timeout=EXPORT_TIMEOUT_S,
    )
    provider = TracerProvider(resource=Resource.create({"service.name": settings.agent_name}))
    provider.add_span_processor(BatchSpanProcessor(ContentFilter(exporter)))
    provider.add_span_processor(FlushAtEnd(provider))
    return provider

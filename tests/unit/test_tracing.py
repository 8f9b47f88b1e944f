"""What leaves in a span is numbers and known texts, and a collector that is away holds up no call."""

import time

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from agent.settings import SettingsError, load_settings
from agent.tracing import setup
from agent.tracing.content_filter import ContentFilter


def exported() -> tuple[TracerProvider, InMemorySpanExporter]:
    """A provider behind the filter, and what came through."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ContentFilter(memory)))
    return provider, memory


def texts_of(span: ReadableSpan) -> str:
    """Everything in a span that is text."""
    text: str = span.to_json()
    return text


def test_unknown_texts_stay_here_and_numbers_leave() -> None:
    """An attribute that a new version of a library adds is left out until somebody has looked at it."""
    provider, memory = exported()
    with provider.get_tracer("t").start_as_current_span("llm_node") as span:
        span.set_attributes({"lk.new": "my secret", "lk.list": ["my secret"], "gen_ai.request.model": "responder"})
        span.set_attributes({"lk.ttft": 0.25, "lk.counts": [1, 2], "lk.interrupted": True})
        span.add_event("gen_ai.choice", {"content": "my secret", "index": 1})
    (span_out,) = memory.get_finished_spans()
    assert "secret" not in texts_of(span_out)
    assert dict(span_out.attributes or {}) == {
        "gen_ai.request.model": "responder",
        "lk.ttft": 0.25,
        "lk.counts": (1, 2),
        "lk.interrupted": True,
    }
    assert [(event.name, dict(event.attributes or {})) for event in span_out.events] == [
        ("gen_ai.choice", {"index": 1})
    ]


def test_an_error_keeps_its_kind_and_loses_its_message() -> None:
    """That something failed is seen, not with what."""
    provider, memory = exported()
    with pytest.raises(ValueError, match="secret"), provider.get_tracer("t").start_as_current_span("tts_request"):
        raise ValueError("my secret")
    (span,) = memory.get_finished_spans()
    assert "secret" not in texts_of(span)
    assert span.status.status_code is StatusCode.ERROR
    assert (span.events[0].attributes or {})["exception.type"] == "ValueError"


def test_headers_for_the_collector_are_read_as_opentelemetry_writes_them() -> None:
    """Percent-encoded pairs with commas between; a wrong one names the variable and not its value."""
    settings = load_settings({"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc, x-team=voice"}, None)
    assert settings.otlp_header_fields() == {"authorization": "Bearer abc", "x-team": "voice"}
    assert "abc" not in repr(settings)
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_HEADERS") as raised:
        load_settings({"OTEL_EXPORTER_OTLP_HEADERS": "hunter2"}, None)
    assert "hunter2" not in str(raised.value)


def test_a_collector_that_is_away_is_not_waited_for_long() -> None:
    """The process of a call that is over ends soon, with its spans or without."""
    provider = setup.provider_of(load_settings({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, None))
    begun = time.monotonic()
    provider.get_tracer("t").start_span(setup.ROOT_SPAN).end()
    assert time.monotonic() - begun < 2 * setup.EXPORT_TIMEOUT_S + 2
    provider.shutdown()

"""Traces of a call for OpenTelemetry, where `OTEL_EXPORTER_OTLP_ENDPOINT` says who wants them.

The spans of livekit-agents (the job, the session, each user's and agent's turn, the requests to models) and ours: each
turn, its way into the journal, and its way to the thread's acknowledgement.
"""

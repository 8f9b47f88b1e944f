"""What runs where and with which models: as a table for people, as one line of JSON for programs."""

import json
import os
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from agent.dev.plan import Plan
from agent.dev.processes import ManagedProcess
from agent.providers import reached_at
from agent.websocket.address import redacted

KINDS = {"stt": "speech to text", "llm": "language model", "tts": "text to speech"}


def print_summary(console: Console, plan: Plan, livekit: str, seconds: float) -> None:
    """Print the table and the page's address."""
    settings = plan.settings
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    table.add_row("page", plan.page_url, "for this machine only")
    chat = "embedded" if plan.local_chat else f"as CHAT_API_URL says, dialect {settings.chat_dialect}"
    table.add_row("chat", redacted(plan.chat_api_url), chat)
    table.add_row("LiveKit", redacted(plan.livekit_url), livekit or "as LIVEKIT_URL says")
    for kind, title in KINDS.items():
        refs = settings.models(kind)  # type: ignore[arg-type]  # the keys of KINDS are the literals
        table.add_row(title, ", then ".join(map(str, refs)), _where(plan, refs[0].provider))
    table.add_row("worker", f"agent name {settings.agent_name}", "reloads when its source changes")
    table.add_row("data", str(settings.data_dir.resolve()), "conversations, journal, keys")
    console.print()
    console.print(table, highlight=False)
    console.print(f"\nready in {seconds:.1f} s: open [bold underline]{plan.page_url}[/], Ctrl-C ends everything\n")


def summary_json(plan: Plan, processes: Sequence[ManagedProcess], seconds: float) -> str:
    """The same as one line: addresses, or null for what does not run here; process ids; the time to ready."""
    return json.dumps(
        {
            "page": plan.page_url,
            "chat": plan.chat_api_url,
            "livekit": plan.livekit_url,
            "models": plan.models_url or None,
            "worker": next(process.spec.health_url for process in processes if process.spec.name == "worker"),
            "data_dir": str(plan.settings.data_dir.resolve()),
            "pid": os.getpid(),
            "pids": {process.spec.name: process.pid for process in processes},
            "seconds": round(seconds, 2),
        }
    )


def _where(plan: Plan, provider: str) -> str:
    if provider == "local" and plan.local_models:
        return plan.models_url
    return reached_at(plan.settings, provider)

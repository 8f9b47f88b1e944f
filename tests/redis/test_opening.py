"""With JOURNAL_URL the journal, its leases and its reports are those of Redis, and no file is made."""

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.journal import CallRecord
from agent.journal.opening import open_for_call, open_for_worker, open_leases
from agent.leases import Tenancy
from agent.report.command import ReportError, calls_command
from agent.settings import load_settings
from tests.support.stores import RedisStore
from tests.support.turns import make_turn
from tests.support.worker import free_port


def test_two_hosts_see_each_others_calls(
    redis_store: RedisStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What one writes the other reads; the fence is that of the shared leases."""
    url = SecretStr(redis_store.place)

    async def work() -> None:
        with open_for_worker(tmp_path / "a", url) as worker, open_for_call(tmp_path / "b", url) as call:
            leases = open_leases(worker)
            assert leases is not None
            lease = leases.take(Tenancy("room", "call", "c", "agent", "d"), "elsewhere#1@2.00", 60.0)
            assert lease is not None
            await call.call_started(CallRecord("call", "c", "room", 1.0))
            await call.append(make_turn("said"), fence=lease.fence)
            assert [turn.text for turn in await worker.latest_turns("c", 5)] == ["said"]
            leases.close()

    asyncio.run(work())
    calls_command(
        load_settings({"JOURNAL_URL": redis_store.place, "DATA_DIR": str(tmp_path)}, None), 5, json_output=True
    )
    assert [call["id"] for call in json.loads(capsys.readouterr().out)] == ["call"]
    assert list(tmp_path.iterdir()) == []


def test_a_report_says_that_redis_is_not_there(tmp_path: Path) -> None:
    """In one line, with its place."""
    settings = load_settings({"JOURNAL_URL": f"redis://:hunter2@127.0.0.1:{free_port()}/0"}, None)
    with pytest.raises(ReportError, match="does not answer") as refused:
        calls_command(settings, 5, json_output=True)
    assert "hunter2" not in str(refused.value)

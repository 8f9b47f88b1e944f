"""The whole development stack in one command: prepared, started, watched, and ended with nothing left behind."""

import asyncio
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from rich.console import Console

from agent.dev.livekit_server import LiveKitServer, find_livekit_server
from agent.dev.page_build import build_page
from agent.dev.plan import Plan, data_folder, make_plan, process_specs
from agent.dev.problems import StartError, one_line, only_cause
from agent.dev.processes import ManagedProcess, Reaper
from agent.dev.reload import Change, watch
from agent.dev.secrets import load_dev_secrets
from agent.dev.steps import Steps
from agent.dev.summary import print_summary, summary_json
from agent.dev.toolchain import ROOT
from agent.providers import check_providers
from agent.settings import Settings, SettingsError, load_settings

T = TypeVar("T")


class Interrupts:
    """Ctrl-C, SIGTERM and SIGHUP: the first asks for an orderly end, the second for one at once."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()

    def __enter__(self) -> "Interrupts":
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)

    def _on_signal(self) -> None:
        (self.second if self.first.is_set() else self.first).set()

    async def unless_asked(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of the work, or None when the end is asked for before it is done; it is cancelled then."""
        task = asyncio.create_task(work)
        asked = asyncio.create_task(self.first.wait())
        try:
            await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            asked.cancel()
            task.cancel()
            await asyncio.wait({task})


async def run_stack(settings: Settings, *, json_output: bool = False) -> int:
    """Run everything that the settings do not name elsewhere, until Ctrl-C or SIGTERM.

    Args:
        settings: the environment and `.env`, parsed.
        json_output: say on standard output, as one line of JSON, what runs where once all is ready. All else goes to
            standard error.

    Returns:
        The exit status: 0 when it was asked to end, 1 when it could not start; one line then says what to do.
    """
    console = Console(stderr=True)
    started = time.monotonic()
    with Interrupts() as interrupts:
        try:
            prepared = await interrupts.unless_asked(_prepare(settings, console))
            if prepared is None:
                return 0
            plan, server = prepared
            specs = process_specs(plan, server)
            reaper = Reaper()
            await reaper.start()
            width = max(len(spec.name) for spec in specs)
            processes = tuple(ManagedProcess(spec, console, reaper, width) for spec in specs)
            try:
                stack = Stack(plan, processes, console, interrupts)
                await stack.run(str(server or ""), started, json_output)
            finally:
                await reaper.close()
        except (StartError, SettingsError) as error:
            console.print(f"error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
            return 1
    return 0


async def _prepare(settings: Settings, console: Console) -> tuple[Plan, LiveKitServer | None]:
    """Check what can be checked first, then build what is missing."""
    folder = data_folder(settings)
    check_providers(settings)
    try:
        secrets = load_dev_secrets(folder)
    except (ValueError, OSError) as error:
        raise StartError(one_line(str(error))) from None
    plan = make_plan(settings, secrets)
    with Steps(console) as steps:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(build_page(steps))
                server = group.create_task(find_livekit_server(steps)) if plan.local_livekit else None
        except ExceptionGroup as failed:
            raise only_cause(failed) from None
    return plan, server.result() if server is not None else None


class Stack:
    """The running children and those who look after them."""

    def __init__(
        self, plan: Plan, processes: Sequence[ManagedProcess], console: Console, interrupts: Interrupts
    ) -> None:
        self._plan = plan
        self._processes = processes
        self._console = console
        self._interrupts = interrupts

    async def run(self, livekit: str, started: float, json_output: bool) -> None:
        """Run the children until the end is asked for.

        Args:
            livekit: the local livekit-server in words, or "".
            started: when the start began, by the monotonic clock.
            json_output: see `run_stack`.

        Raises:
            StartError: one of them did not start.
        """
        try:
            async with asyncio.TaskGroup() as group:
                runs = {process: group.create_task(process.run()) for process in self._processes}
                helpers = (
                    group.create_task(self._announce(livekit, started, json_output)),
                    group.create_task(self._reload()),
                )
                hurry = group.create_task(self._kill_when_asked_twice())
                await self._interrupts.first.wait()
                self._console.print("\nending …", highlight=False)
                for helper in helpers:
                    helper.cancel()
                # The worker first: its last turns still reach the chat.
                for process in sorted(self._processes, key=lambda process: process.spec.name != "worker"):
                    process.stop()
                    if process.spec.name == "worker":
                        await asyncio.wait({runs[process]})
                await asyncio.wait(runs.values())
                hurry.cancel()
        except ExceptionGroup as failed:
            raise only_cause(failed) from None

    async def _announce(self, livekit: str, started: float, json_output: bool) -> None:
        for process in self._processes:
            await process.ready.wait()
        seconds = time.monotonic() - started
        print_summary(self._console, self._plan, livekit, seconds)
        if json_output:
            sys.stdout.write(summary_json(self._plan, self._processes, seconds) + "\n")
            sys.stdout.flush()

    async def _kill_when_asked_twice(self) -> None:
        await self._interrupts.second.wait()
        for process in self._processes:
            process.kill()

    async def _reload(self) -> None:
        async for change in watch(ROOT):
            await self._apply(change)

    async def _apply(self, change: Change) -> None:
        names = ", ".join(change.paths[:3]) + (f" and {len(change.paths) - 3} more" if len(change.paths) > 3 else "")
        if change.mistakes:
            self._say(f"not reloading: {'; '.join(change.mistakes)}", "red")
            return
        if change.settings:
            try:
                load_settings()
            except SettingsError as error:
                self._say(f"not reloading: {error}", "red")
                return
            self._say("ports, servers and local models of .env are used by the next `make dev`", "yellow")
        if change.supervisor:
            self._say(f"{names}: used by the next `make dev`", "yellow")
        if change.restart:
            self._say(f"reloading: {names}", "bold")
        for process in self._processes:
            if process.spec.name in change.restart:
                process.restart()
        if change.page:
            await self._rebuild_page()

    async def _rebuild_page(self) -> None:
        try:
            with Steps(self._console) as steps:
                await build_page(steps)
        except StartError as error:
            self._say(str(error), "red")

    def _say(self, text: str, style: str) -> None:
        self._console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

"""One stack for all end-to-end tests, started as a user would, and a browser whose microphone is a recording."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from tests.e2e.chat_page import ChatPage
from tests.support.browser import find_browser
from tests.support.stack import RunningStack, running_stack

# Chromium's own background traffic would be refused on a closed network, many times a second.
QUIET = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
)

OpenPage = Callable[[Path], Awaitable[ChatPage]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    """The stack of `python -m agent dev`; nothing of it stays behind."""
    async with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(stack: RunningStack, tmp_path: Path) -> AsyncIterator[OpenPage]:
    """Opens the page in headless Chromium with a recording as its microphone."""
    async with AsyncExitStack() as exits:
        playwright = await exits.enter_async_context(async_playwright())

        async def open_with(microphone: Path) -> ChatPage:
            browser = await playwright.chromium.launch(
                executable_path=find_browser(),
                args=[
                    "--no-sandbox",
                    "--use-fake-ui-for-media-stream",
                    "--use-fake-device-for-media-stream",
                    f"--use-file-for-fake-audio-capture={microphone}%noloop",
                    "--autoplay-policy=no-user-gesture-required",
                    *QUIET,
                ],
            )
            exits.push_async_callback(browser.close)
            page = await (await browser.new_context(viewport={"width": 1100, "height": 900})).new_page()
            return await ChatPage.open(page, stack.page)

        yield open_with

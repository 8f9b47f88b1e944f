"""One stack for all end-to-end tests, started as a user would, and a browser whose microphone is a recording."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from agent.dev.secrets import load_dev_secrets
from tests.e2e.chat_page import ChatPage
from tests.support.browser import find_browser
from tests.support.secrecy import assert_keeps_secrets
from tests.support.stack import RunningStack, running_stack

SECRET = f"planted-{uuid.uuid4().hex}"
SECRETS = {
    "ACME_BASE_URL": "http://127.0.0.1:9/v1",
    "ACME_API_KEY": SECRET,
    "PROFILES_TOKEN": SECRET,
}
# Words that are spoken, typed and answered in these tests, and that no log has a reason for.
SAID = ("amiable", "seven of clubs", "quick brown fox", "lucky number", "name is ana", "it is all one conversation")

# Chromium's own background traffic would be refused on a closed network, many times a second.
QUIET = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
)


def capture(microphone: Path | None) -> tuple[str, ...]:
    """The flags that make a file the microphone, or refuse it."""
    if microphone is None:
        return ("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}%noloop",
    )


OpenPage = Callable[[Path | None], Awaitable[ChatPage]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    """The stack of `python -m agent dev`; nothing of it stays behind, and its log has no secret and nobody's words."""
    async with running_stack(tmp_path_factory.mktemp("stack"), SECRETS) as running:
        yield running
    secrets = load_dev_secrets(running.data_dir).model_dump().values()
    assert_keeps_secrets(running.log(), (*secrets, SECRET, *SAID))


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(stack: RunningStack, tmp_path: Path) -> AsyncIterator[OpenPage]:
    """Opens the page in headless Chromium with a recording as its microphone; None: the microphone is refused."""
    async with AsyncExitStack() as exits:
        playwright = await exits.enter_async_context(async_playwright())

        async def open_with(microphone: Path | None) -> ChatPage:
            browser = await playwright.chromium.launch(
                executable_path=find_browser(),
                args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required", *capture(microphone), *QUIET],
            )
            exits.push_async_callback(browser.close)
            page = await (await browser.new_context(viewport={"width": 1100, "height": 900})).new_page()
            return await ChatPage.open(page, stack.page)

        yield open_with

"""The page as its user sees it: found by what it says and is labelled with, never by its insides."""

import asyncio
import base64
from dataclasses import dataclass

from playwright.async_api import Page, expect

LONG = 60_000.0  # milliseconds; a bound for a busy machine, not an expectation

RECORD = """
async () => {
  const audio = document.querySelector('audio');
  const recorder = new MediaRecorder(audio.srcObject, {mimeType: 'audio/webm;codecs=opus'});
  window.recorded = [];
  recorder.ondataavailable = (event) => window.recorded.push(event.data);
  recorder.start(250);
  window.recorder = recorder;
}
"""
RECORDED = """
async () => {
  await new Promise((resolve) => { window.recorder.onstop = resolve; window.recorder.stop(); });
  const bytes = new Uint8Array(await new Blob(window.recorded).arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}
"""


@dataclass(frozen=True)
class Shown:
    """One message as the page shows it."""

    id: str
    role: str
    channel: str
    text: str


class ChatPage:
    """One open page; `problems` gathers what the browser's console reports as errors."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    @classmethod
    async def open(cls, page: Page, url: str) -> "ChatPage":
        """Open the page and wait until its chat is connected."""
        opened = cls(page)
        await page.goto(url)
        await opened.until_state("chat-state", "connected")
        return opened

    async def conversation_id(self) -> str:
        """The conversation that the page's address names."""
        found: str = await self.page.evaluate(
            "new URLSearchParams(location.search || location.hash.slice(1)).get('conversation')"
        )
        return found

    async def visitor(self) -> str:
        """The anonymous visitor that the page is."""
        found: str = await self.page.evaluate("localStorage.getItem('visitorId')")
        return found

    async def until_state(self, name: str, word: str) -> None:
        """Wait until a state (chat-state, room-state, agent-state) says a word."""
        await expect(self.page.get_by_test_id(name)).to_contain_text(word, ignore_case=True, timeout=LONG)

    async def until_agent_listens(self) -> None:
        """Wait until the agent has finished speaking."""
        await self.until_state("agent-state", "listening")

    async def until_notice(self, word: str) -> None:
        """Wait for an error in words."""
        await expect(self.page.get_by_role("alert")).to_contain_text(word, ignore_case=True, timeout=LONG)

    async def start_call(self) -> None:
        """Call, and wait for the agent's voice."""
        await self.page.get_by_role("button", name="Start call").click()
        await self.until_agent_is_heard()

    async def until_agent_is_heard(self) -> None:
        """Wait until the agent's voice reaches the page."""
        await self.until_state("room-state", "in a call")
        await self._until("() => document.querySelector('audio')?.srcObject?.active === true")

    async def hang_up(self) -> None:
        """End the call, and wait until it can be started again."""
        await self.page.get_by_role("button", name="Hang up").click()
        await expect(self.page.get_by_role("button", name="Start call")).to_be_visible(timeout=LONG)

    async def type(self, text: str) -> None:
        """Write a message and send it."""
        await self.page.get_by_role("textbox", name="Message").fill(text)
        await self.page.get_by_role("button", name="Send").click()

    async def until_message(self, role: str, containing: str, *, after: int = 0) -> Shown:
        """Wait for a final message of a role that contains some words, not counting the first `after` messages."""
        await self._until(
            """([role, words, after]) => [...document.querySelectorAll('article[data-id]')].slice(after)
                .some((a) => a.dataset.role === role && a.innerText.toLowerCase().includes(words))""",
            [role, containing.lower(), after],
        )
        return next(
            m for m in (await self.messages())[after:] if m.role == role and containing.lower() in m.text.lower()
        )

    async def messages(self) -> list[Shown]:
        """All messages of the thread, as they are shown."""
        rows: list[dict[str, str]] = await self.page.evaluate(
            """[...document.querySelectorAll('article[data-id]')].map((a) => ({
                id: a.dataset.id, role: a.dataset.role, channel: a.dataset.channel, text: a.innerText}))"""
        )
        return [Shown(**row) for row in rows]

    async def _until(self, condition: str, argument: object = None) -> None:
        """Wait until a function of the page is true; Playwright's own wait evaluates a text, which our CSP forbids."""
        async with asyncio.timeout(LONG / 1000):
            while not await self.page.evaluate(condition, argument):
                await asyncio.sleep(0.05)

    async def start_recording(self) -> None:
        """Record what the page plays from now on."""
        await self.page.evaluate(RECORD)

    async def recorded(self) -> bytes:
        """What the page played since then, as WebM with Opus."""
        return base64.b64decode(await self.page.evaluate(RECORDED))

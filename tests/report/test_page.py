"""The page in a real browser: it can be read by everybody, asks nobody for anything, and runs no words of a call."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, async_playwright

from agent.recording.ogg_file import RATE, OggFile
from agent.report.html.page import report_page
from agent.report.report import Report
from tests.recording.sound import tone
from tests.report.written_calls import HOSTILE
from tests.support.browser import find_browser

# The lowest contrast of all texts on the page with what is behind them (WCAG 2.2, 1.4.3).
CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let node = element; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let worst = { ratio: 99, text: "" };
  for (const element of document.querySelectorAll("body *:not(svg *, script)")) {
    const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("").trim();
    if (!text || !element.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < worst.ratio) worst = { ratio, text };
  }
  return worst;
}"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        yield launched
        await launched.close()


async def opened(
    browser: Browser,
    file: Path,
    report: Report,
    said: list[str] | None = None,
    sound: bytes | None = None,
    **context: Any,
) -> Page:
    """The report's page as a file; requests, dialogs and complaints of the browser are added to `said`."""
    file.write_text(report_page(report, sound))
    page = await (await browser.new_context(**context)).new_page()
    if said is not None:
        page.on("request", lambda r: said.append(r.url) if not r.url.startswith("file:") else None)
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
    await page.goto(file.as_uri())
    return page


async def test_words_of_a_call_run_nothing_and_ask_for_nothing(browser: Browser, bad: Report, tmp_path: Path) -> None:
    """Scripts, images and quotes of a caller are shown as what they are: words."""
    said: list[str] = []
    page = await opened(browser, tmp_path / "bad.html", bad, said)
    shown = await page.locator("#turn-6 .words").inner_text()
    assert shown.startswith("<script>alert(1)</script><img src=x onerror=alert(2)>")
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    await page.locator('[data-turn="6"]').hover()
    assert "<script>" in await page.locator("#card").inner_text()
    assert await page.locator("script").count() == 1
    assert await page.locator("img, iframe, link, object").count() == 0
    assert said == []


async def test_even_words_that_got_past_the_escaping_could_do_nothing(
    browser: Browser, bad: Report, tmp_path: Path
) -> None:
    """The page's own policy runs the one script that stands in it, and loads nothing."""
    came: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        came.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_get("/{anything:.*}", handle)
    async with TestServer(app) as server:
        evil = f"<script>document.title='x'</script><img src='{server.make_url('/x.png')}' onerror=document.title='x'>"
        file = tmp_path / "bad.html"
        file.write_text(report_page(bad).replace(escape("She is four years old."), evil))
        page = await (await browser.new_context()).new_page()
        await page.goto(file.as_uri())
        assert await page.locator("img").count() >= 1
        assert await page.title() != "x"
    assert came == []


async def test_every_turn_and_event_is_told_in_words_too(browser: Browser, bad: Report, tmp_path: Path) -> None:
    """The table says what the drawing shows, and each link of the drawing has a name and leads somewhere."""
    page = await opened(browser, tmp_path / "bad.html", bad)
    await page.locator("#timeline details > summary").click()
    rows = await page.locator("#timeline tbody tr").all_inner_texts()
    assert len(rows) == len(bad.turns)
    assert "cut off" in rows[0]
    links = await page.locator(".timeline a[tabindex='-1']").count()
    named = await page.locator(".timeline a:not([tabindex='-1'])").evaluate_all(
        "all => all.map((a) => [a.getAttribute('aria-label'), !!document.querySelector(a.getAttribute('href'))])"
    )
    assert len(named) == len(bad.turns) + len(bad.happenings)
    assert links >= 1
    assert all(name and leads for name, leads in named)
    assert "0:06.2, caller says: Sorry, I need an appointment today" in named[1][0]


async def test_it_has_the_bones_that_a_screen_reader_needs(browser: Browser, bad: Report, tmp_path: Path) -> None:
    """A language, one first heading, a second for each part, landmarks, and a title that says which call it is."""
    page = await opened(browser, tmp_path / "bad.html", bad)
    assert await page.locator("html").get_attribute("lang") == "en"
    assert await page.locator("h1").count() == 1
    assert await page.locator("h2").all_inner_texts() == [
        "What happened", "Summary", "Time line", "Thread", "Errors and events", "Latency by stage", "Deliveries",
        "Usage and cost",
    ]  # fmt: skip
    for landmark in ("header", "main", "footer"):
        assert await page.locator(landmark).count() == 1
    assert "AJ_bad" in await page.title()
    assert await page.locator("th:not([scope])").count() == 0


async def test_the_keyboard_reaches_each_turn_and_shows_it(browser: Browser, bad: Report, tmp_path: Path) -> None:
    """Tab goes from clip to clip with a card beside it, Escape closes it, Enter leads to the turn in the thread."""
    page = await opened(browser, tmp_path / "bad.html", bad, viewport={"width": 1_000, "height": 800})
    card = page.locator("#card")
    await page.locator('[data-turn="1"]').focus()
    assert "Good morning" in await card.inner_text()
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.dataset.turn") == "2":
            break
    assert "my daughter has a fever" in await card.inner_text()
    await page.keyboard.press("Escape")
    assert await card.is_hidden()
    await page.keyboard.press("Enter")
    assert page.url.endswith("#turn-2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1_400])
async def test_it_can_be_read_on_any_screen(
    browser: Browser, bad: Report, tmp_path: Path, width: int, scheme: Any
) -> None:
    """Nothing is cut off at the side, and every text stands out from what is behind it."""
    page = await opened(
        browser, tmp_path / "bad.html", bad, viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    worst = await page.evaluate(CONTRAST)
    assert worst["ratio"] >= 4.5, worst
    ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    lightness = sum(map(int, re.findall(r"\d+", ground)[:3])) / 3
    assert (lightness > 128) == (scheme == "light")


async def test_it_prints_whole(browser: Browser, bad: Report, tmp_path: Path) -> None:
    """On paper there is no card and no hint about pointing, and the words are there."""
    page = await opened(browser, tmp_path / "bad.html", bad)
    await page.emulate_media(media="print")
    assert await page.locator(".hint").is_hidden()
    assert await page.locator("#turn-8 .words").is_visible()
    assert len(await page.pdf(format="A4")) > 20_000


async def test_a_long_call_is_drawn_in_few_rows_and_its_silence_in_one_line(
    browser: Browser, good: Report, tmp_path: Path
) -> None:
    """An hour fits, and what is empty takes no room."""
    last = good.turns[-1]
    late = replace(last, number=len(good.turns) + 1, start_s=3_500.0, end_s=3_504.0)
    page = await opened(browser, tmp_path / "long.html", replace(good, length_s=3_600.0, turns=(*good.turns, late)))
    assert await page.locator(".timeline svg.row").count() == 2
    assert await page.locator(".quiet").inner_text() == "56 min without a word"


async def test_a_recording_is_played_from_the_page(browser: Browser, good: Report, tmp_path: Path) -> None:
    """It stands in the page, which asks nobody for it; without it the page says that it is not there."""
    with OggFile(tmp_path / "AJ_good.ogg") as ogg:
        ogg.write(np.stack([tone(440, 2.0, RATE), tone(880, 2.0, RATE)]))
        ogg.finish()
    said: list[str] = []
    page = await opened(browser, tmp_path / "good.html", good, said, sound=(tmp_path / "AJ_good.ogg").read_bytes())
    seconds = await page.locator("#recording audio").evaluate(
        "(audio) => new Promise((resolve) => audio.readyState ? resolve(audio.duration)"
        " : audio.addEventListener('loadedmetadata', () => resolve(audio.duration)))"
    )
    assert seconds == pytest.approx(2.0, abs=0.1)
    assert [url for url in said if not url.startswith("data:audio/ogg;")] == []
    page = await opened(browser, tmp_path / "without.html", good)
    assert "1.5 s of it paused. It is not there any more." in " ".join(
        await page.locator("#recording p").all_inner_texts()
    )
    assert await page.locator("audio").count() == 0


def test_the_words_are_escaped_in_every_place(bad: Report) -> None:
    """The raw words stand nowhere in the source: not in a text, not in an attribute."""
    source = report_page(bad)
    assert "<script>alert(1)" not in source
    assert "onerror=alert(2)>" not in source.replace("onerror=alert(2)&gt;", "")
    assert source.count("</style>") == 1
    assert source.count("</title>") == 1
    assert HOSTILE not in source

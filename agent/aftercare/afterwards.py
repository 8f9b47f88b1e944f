"""What the worker does for calls beside running them: settles those that are over, and sends notices."""

from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Self

from agent.aftercare.settling import CallSettler
from agent.aftercare.summariser import Summariser
from agent.journal import Journal, Notice
from agent.settings import Settings, SettingsError
from agent.usage.prices import PriceError, load_prices
from agent.webhook.delivery import WebhookDelivery, new_holder
from agent.webhook.endpoint import Endpoint, endpoint_of
from agent.webhook.post import new_http, post
from agent.webhook.retry import Outcome

# What a worker that is told to end may still spend on each of both.
FINISH_S = 5.0


class Afterwards(AbstractAsyncContextManager["Afterwards"]):
    """The chores of one worker, made inside its event loop.

    Args:
        settings: the worker's settings.
        journal: the host's journal.

    Raises:
        SettingsError: the price file cannot be used.
    """

    def __init__(self, settings: Settings, journal: Journal) -> None:
        try:
            prices = load_prices(settings.prices_file)
        except PriceError as error:
            raise SettingsError(f"PRICES_FILE: {error}") from None
        self._http = new_http()
        holder = new_holder()  # of both: else the one would wait until the other's lease is over
        self._settler = CallSettler(journal, prices, Summariser(settings, journal, prices), holder)
        endpoint = partial(endpoint_of, settings=settings)
        self._delivery = WebhookDelivery(journal.outbox, endpoint, self._post, holder=holder)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    def chores(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """What goes on beside the calls, until cancelled."""
        return self._settler.run(), self._delivery.run()

    async def finish(self) -> None:
        """All calls have ended: settle them and tell of it, within a bound; the rest waits for the next start."""
        await self._settler.finish(FINISH_S)
        await self._delivery.finish(FINISH_S)

    async def _post(self, endpoint: Endpoint, notice: Notice) -> Outcome:
        return await post(self._http, endpoint.spec, endpoint.key, notice)

"""The table of prices: ours, and over it a team's own."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

BUILT_IN = Path(__file__).with_name("prices.toml")
MAX_FILE_BYTES = 1_000_000
CURRENCY = "currency"

Amount = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class PriceError(ValueError):
    """A price file cannot be used; the message names the file and the entry."""


class Price(BaseModel):
    """What one model costs; what is not named is not billed.

    Attributes:
        free: it costs nothing.
        input_per_million_tokens: for the prompt.
        cached_input_per_million_tokens: for what of it came from the provider's cache; unset: as the rest.
        output_per_million_tokens: for the answer.
        per_million_characters: for characters that are spoken.
        per_minute: for audio that is transcribed or spoken.
        source: who says so, and when; for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    free: bool = False
    input_per_million_tokens: Amount | None = None
    cached_input_per_million_tokens: Amount | None = None
    output_per_million_tokens: Amount | None = None
    per_million_characters: Amount | None = None
    per_minute: Amount | None = None
    source: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        names = set(type(self).model_fields) - {"free", "source"}
        given = [name for name in names if getattr(self, name) is not None]
        if self.free == bool(given):
            raise ValueError("give prices, or free = true, and not both")
        return self


class PriceTable:
    """Prices by model.

    Args:
        currency: of all of them, such as USD.
        prices: by `provider/model`; `provider/*` is for all others of a provider.
    """

    def __init__(self, currency: str, prices: Mapping[str, Price]) -> None:
        self.currency = currency
        self._prices = dict(prices)

    def of(self, model: str) -> Price | None:
        """The price of a model; None when nobody has named it."""
        return self._prices.get(model) or self._prices.get(f"{model.partition('/')[0]}/*")


def load_prices(own: Path | None) -> PriceTable:
    """Our table, with the entries of a team's own file in place of ours.

    Args:
        own: the file that `PRICES_FILE` names, if it names one.

    Raises:
        PriceError: a file cannot be read, or an entry is wrong; the message names it.
    """
    currency, prices = _read(BUILT_IN)
    if own is not None:
        own_currency, own_prices = _read(own)
        if own_currency != currency:
            prices = {model: price for model, price in prices.items() if price.free}
        currency, prices = own_currency, {**prices, **own_prices}
    return PriceTable(currency, prices)


def _read(path: Path) -> tuple[str, dict[str, Price]]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            raise PriceError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        table = tomllib.loads(raw.decode(), parse_float=Decimal)
    except OSError as error:
        raise PriceError(f"{path}: {error.strerror}") from None
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are among them
        raise error if isinstance(error, PriceError) else PriceError(f"{path}: {error}") from None
    currency = table.pop(CURRENCY, "USD")
    if not isinstance(currency, str) or not currency.isalpha():
        raise PriceError(f"{path}: {CURRENCY} must be a word, such as USD")
    return currency, {model: _parse(path, model, entry) for model, entry in table.items()}


def _parse(path: Path, model: str, entry: object) -> Price:
    if "/" not in model:
        raise PriceError(f"{path}: {model!r} is not provider/model")
    try:
        return Price.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in (model, *first["loc"]))
        raise PriceError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from None

"""The table of prices: what costs how much, what is not known, and clear errors in a team's own file."""

from decimal import Decimal
from pathlib import Path

import pytest

from agent.usage.cost import bill, cost
from agent.usage.measure import Amounts, ModelKey, Stage
from agent.usage.prices import BUILT_IN, Price, PriceError, PriceTable, load_prices


def price(**given: object) -> Price:
    return Price.model_validate({name: Decimal(str(value)) for name, value in given.items()})


TOKENS = price(input_per_million_tokens=0.4, cached_input_per_million_tokens=0.1, output_per_million_tokens=1.6)


def test_tokens_are_billed_by_kind() -> None:
    """1,000 tokens in, 400 of them cached, 50 out: 0.6 × 0.40 + 0.4 × 0.10 + 0.05 × 1.60 thousandths."""
    used = Amounts(requests=1, input_tokens=1_000, cached_input_tokens=400, output_tokens=50)
    assert cost(used, TOKENS).amount == Decimal("0.00036")


def test_cached_tokens_cost_as_the_others_where_no_price_is_named() -> None:
    """A discount that nobody named is not given."""
    used = Amounts(requests=1, input_tokens=1_000, cached_input_tokens=400, output_tokens=1)
    full = price(input_per_million_tokens=2, output_per_million_tokens=0)
    assert cost(used, full).amount == Decimal("0.002")


def test_audio_is_billed_by_the_minute_and_speech_by_the_character() -> None:
    """90 s at 0.006 a minute; 2,000 characters at 15 a million."""
    assert cost(Amounts(requests=3, audio_seconds=90.0), price(per_minute=0.006)).amount == Decimal("0.009")
    spoken = Amounts(requests=1, characters=2_000, audio_seconds=60)
    assert cost(spoken, price(per_million_characters=15)).amount == Decimal("0.03")


def test_what_nobody_named_a_price_for_is_not_guessed() -> None:
    """An unknown model has no cost, and neither has one that is billed by what nobody reported."""
    assert cost(Amounts(requests=1, input_tokens=9), None).amount is None
    unreported = cost(Amounts(requests=2, unreported=2, audio_seconds=9.0), TOKENS)
    assert unreported.amount is None
    assert "no request named its tokens" in unreported.why
    assert cost(Amounts(requests=1, characters=9), price(per_minute=1)).amount is None


def test_a_sum_with_something_missing_says_at_least() -> None:
    """A cancelled request that named no tokens, or a model without a price, makes the sum a lower bound."""
    part = cost(Amounts(requests=3, unreported=1, input_tokens=1_000_000, output_tokens=1), TOKENS)
    assert part.at_least
    assert "1 of 3 requests" in part.why
    known, unknown = ModelKey(Stage.THINKING, "a/known"), ModelKey(Stage.SPEAKING, "b/unknown")
    one = Amounts(requests=1, input_tokens=1_000_000, output_tokens=1_000_000)
    total = bill({known: one, unknown: one}, PriceTable("USD", {"a/known": TOKENS})).total
    assert (total.amount, total.at_least) == (Decimal(2), True)
    assert "b/unknown" in total.why
    nothing_known = bill({unknown: one}, PriceTable("USD", {})).total
    assert nothing_known.amount is None


def test_local_models_cost_nothing_and_every_other_price_has_a_source() -> None:
    """The built-in table is usable, and says where each figure comes from."""
    table = load_prices(None)
    assert cost(Amounts(requests=1, unreported=1), table.of("local/whatever")).amount == 0
    for line in BUILT_IN.read_text().split("\n[")[1:]:
        assert "free = true" in line or "source = " in line, line
    assert "EXAMPLES TO BE CHECKED" in BUILT_IN.read_text()


def test_a_teams_own_file_goes_over_ours(tmp_path: Path) -> None:
    """Its entries replace ours, model by model; the others stay."""
    own = tmp_path / "prices.toml"
    own.write_text('["openai/gpt-4.1-mini"]\nper_minute = 1\n["acme/*"]\ninput_per_million_tokens = 3\n')
    table = load_prices(own)
    assert table.of("openai/gpt-4.1-mini") == price(per_minute=1)
    assert table.of("acme/anything") == price(input_per_million_tokens=3)
    assert table.of("openai/gpt-4o-mini-tts") is not None
    assert table.of("other/model") is None


def test_prices_in_another_currency_do_not_mix_with_ours(tmp_path: Path) -> None:
    """Of our table only what is free stays."""
    own = tmp_path / "prices.toml"
    own.write_text('currency = "EUR"\n["acme/a"]\nper_minute = 1\n')
    table = load_prices(own)
    assert table.currency == "EUR"
    assert table.of("openai/gpt-4.1-mini") is None
    assert table.of("local/responder") is not None


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('["acme/a"]\nper_hour = 1\n', "acme/a.per_hour"),
        ('["acme/a"]\nper_minute = -1\n', "acme/a.per_minute"),
        ('["acme/a"]\nper_minute = nan\n', "acme/a.per_minute"),
        ('["acme/a"]\n', "acme/a: give prices"),
        ('["acme/a"]\nfree = true\nper_minute = 1\n', "acme/a: give prices"),
        ("[acme]\nper_minute = 1\n", "'acme' is not provider/model"),
        ("currency = 7\n", "currency"),
        ("not toml at all", "prices.toml"),
        ('"acme/a" = 5\n', "acme/a"),
    ],
)
def test_a_wrong_price_file_is_an_error_that_names_the_entry(tmp_path: Path, content: str, named: str) -> None:
    """The message holds the file and the entry."""
    own = tmp_path / "prices.toml"
    own.write_text(content)
    with pytest.raises(PriceError, match=r"prices\.toml") as caught:
        load_prices(own)
    assert named in str(caught.value)


def test_a_price_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """It is not taken for an empty one."""
    with pytest.raises(PriceError, match="No such file"):
        load_prices(tmp_path / "prices.toml")

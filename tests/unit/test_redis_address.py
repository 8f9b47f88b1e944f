"""The address of the journal's Redis: what is refused, and that no part of it is shown."""

import pytest

from agent.redis_address import name_of, problem_with_address
from agent.settings import SettingsError, load_settings


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1",
        "redis://:hunter2@localhost:6380/3",
        "rediss://worker:hunter2@redis.example:6379/0?ssl_ca_certs=/etc/ssl/own.pem",
    ],
)
def test_encrypted_or_on_this_machine_may_be_used(url: str) -> None:
    """With a password or without."""
    assert problem_with_address(url, allow_insecure=False) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis://hunter2.example/0", "not encrypted"),
        ("http://hunter2", "redis://"),
        ("rediss://:hunter2@/0", "name of the machine"),
        ("rediss://hunter2:port/0", "no address"),
        ("rediss://hunter2/zero", "number of a database"),
        ("rediss://hunter2/0?ssl_cert_reqs=none", "ssl_ca_certs"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_showing_it(url: str, why: str) -> None:
    """The message says what is wrong, by the name of the setting."""
    with pytest.raises(SettingsError, match=f"JOURNAL_URL.*{why}") as refused:
        load_settings({"JOURNAL_URL": url}, None)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_an_open_network_may_be_allowed() -> None:
    """By whoever trusts it."""
    settings = load_settings({"JOURNAL_URL": "redis://:hunter2@redis.example/0", "ALLOW_INSECURE": "true"}, None)
    assert "hunter2" not in repr(settings)


def test_a_redis_is_named_without_its_password() -> None:
    """In logs and errors."""
    assert name_of("redis://worker:hunter2@redis.example/2?ssl_ca_certs=x") == "Redis at redis.example:6379/2"

"""`.env.example` is the manual of the settings: complete, with the true defaults, and usable as it is."""

import re
from pathlib import Path

from pydantic import AliasChoices, SecretStr

from agent.settings import PROVIDER_KEY, WELL_KNOWN_BASE_URLS, Settings, load_settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
ASSIGNMENT = re.compile(r"^# ([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def shown() -> dict[str, str]:
    return dict(ASSIGNMENT.findall(EXAMPLE.read_text()))


def aliases() -> dict[str, tuple[str, ...]]:
    """The variables of each field, the first one first."""
    found = {}
    for field, info in Settings.model_fields.items():
        if isinstance(info.validation_alias, AliasChoices):
            found[field] = tuple(str(choice) for choice in info.validation_alias.choices)
        elif info.validation_alias is not None:
            found[field] = (str(info.validation_alias),)
    return found


def written(default: object) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_every_setting_is_shown_with_its_default() -> None:
    """A setting whose line is missing, or shows another default, fails."""
    defaults = {names[0]: written(Settings.model_fields[field].default) for field, names in aliases().items()}
    lines = shown()
    assert {name: lines.get(name, "no line") for name in defaults} == defaults
    assert [name for name in lines if name not in defaults and not PROVIDER_KEY.match(name)] == []


def test_every_other_name_of_a_setting_is_told() -> None:
    """The names of the integration guide are found by searching the file."""
    text = EXAMPLE.read_text()
    assert [name for names in aliases().values() for name in names if name not in text] == []


def test_the_well_known_providers_are_shown() -> None:
    """What a provider needs can be copied from the file."""
    for name, url in WELL_KNOWN_BASE_URLS.items():
        assert shown()[f"{name.upper()}_BASE_URL"] == url
        assert f"{name.upper()}_API_KEY" in shown()


def test_the_file_with_all_its_lines_taken_in_is_valid(tmp_path: Path) -> None:
    """Whoever takes the # off every line gets the defaults, not an error."""
    file = tmp_path / ".env"
    file.write_text("\n".join(f"{name}={value}" for name, value in shown().items()))
    assert load_settings({}, file).model_dump() == load_settings({}, None).model_dump()

"""The kinds of text that a job consists of, each with its limits. What is refused is never quoted."""

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
)

from agent.job.template import OPENING, check_template

CONVERSATION_ID = r"^[A-Za-z0-9_-]{1,128}$"
PROFILE_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"
VARIABLE_NAME = r"^[a-z][a-z0-9_]{0,63}$"
SHORT = 200
LONG = 20_000
LONGEST_TOKEN = 8_192
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
TOKEN = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_TOKEN}}}")


class Strict(BaseModel):
    """What is given must have the right type, unknown keys are refused, and nothing changes afterwards."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def _one_line(text: str) -> str:
    if CONTROL.search(text):
        raise ValueError("must be one line without control characters")
    return _plain(text)


def _plain(text: str) -> str:
    if OPENING in text:
        raise ValueError(f"a value is no template: {OPENING} may only stand in instructions and greeting")
    return text


def _conversation_id(text: str) -> str:
    if not re.fullmatch(CONVERSATION_ID, text):
        raise ValueError("must be 1 to 128 letters, digits, _ and -")
    return text


def profile_name(text: str) -> str:
    """A name that a profile can have; raises ValueError for any other."""
    if not re.fullmatch(PROFILE_NAME, text):
        raise ValueError("must name a profile: 1 to 64 lower-case letters, digits, _ and -, such as reception")
    return text


def _language(text: str) -> str:
    if not re.fullmatch(LANGUAGE, text):
        raise ValueError("must be a language tag, such as en, de or pt-BR")
    return text


def _token(secret: SecretStr) -> SecretStr:
    if not TOKEN.fullmatch(secret.get_secret_value()):
        raise ValueError(f"must be 1 to {LONGEST_TOKEN} visible ASCII characters")
    return secret


def _variable_name(text: str) -> str:
    if not re.fullmatch(VARIABLE_NAME, text):
        raise ValueError("a variable's name is 1 to 64 lower-case letters, digits and _, and begins with a letter")
    return text


def _variable(value: Any) -> Any:
    """A number or a truth value in the words in which JSON writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


ShortText = Annotated[str, StringConstraints(max_length=SHORT), AfterValidator(_one_line)]
Template = Annotated[str, StringConstraints(max_length=LONG), AfterValidator(check_template)]
ConversationId = Annotated[
    str, AfterValidator(_conversation_id), WithJsonSchema({"type": "string", "pattern": CONVERSATION_ID})
]
ProfileName = Annotated[str, AfterValidator(profile_name), WithJsonSchema({"type": "string", "pattern": PROFILE_NAME})]
Language = Annotated[str, AfterValidator(_language), WithJsonSchema({"type": "string", "pattern": LANGUAGE})]
Token = Annotated[SecretStr, AfterValidator(_token)]
VariableName = Annotated[
    str, AfterValidator(_variable_name), WithJsonSchema({"type": "string", "pattern": VARIABLE_NAME})
]
Variable = Annotated[
    str,
    StringConstraints(max_length=2_000),
    BeforeValidator(_variable),
    AfterValidator(_plain),
    WithJsonSchema({"type": ["string", "number", "boolean"], "maxLength": 2_000}),
]

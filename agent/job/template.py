"""`{{user.name}}` in instructions and greetings: names of the job, put in once, and nothing else.

The standard library's `string.Template` does exactly this: it replaces names in one pass, so that a value is never
itself a template, raises for a name without a value, and has no logic. Template engines can do more than is wanted of a
text that a dispatch may bring: Jinja2 runs expressions and needs a sandbox against them, and Mustache's Python
libraries (chevron, pystache) take an unknown name for an empty text by default and are hardly maintained.
"""

import re
import string
from collections.abc import Mapping

OPENING = "{{"
NAMES = ("conversation_id", "user.id", "user.name", "agent.name", "agent.language")
VARIABLES = "variables."
VARIABLE = re.compile(r"variables\.[a-z][a-z0-9_]{0,63}")


class TemplateError(ValueError):
    """A template cannot be used; the message says why, and quotes no more of it than a name."""


class _Template(string.Template):
    delimiter = OPENING
    flags = re.VERBOSE
    # Doubled, as `string.Template` has it: {{{{ is the text {{. The class compiles it itself.
    pattern = r"""
        \{\{ (?:
            (?P<escaped> \{\{ ) |
            [ ]* (?P<named> [a-z_]{1,32} (?: \. [a-z0-9_]{1,64} )? ) [ ]* \}\} |
            (?P<braced> (?!) ) |
            (?P<invalid> )
        )
    """  # type: ignore[assignment]


def check_template(text: str) -> str:
    """The text itself; raises TemplateError unless each `{{…}}` in it is a name that a job may have."""
    if "\x00" in text:
        raise TemplateError("must not hold the character NUL")
    template = _Template(text)
    if not template.is_valid():
        raise TemplateError("{{ must be followed by a name and }}, such as {{user.name}}; {{{{ writes {{ itself")
    for name in template.get_identifiers():
        if name not in NAMES and not VARIABLE.fullmatch(name):
            raise TemplateError(
                f"there is no {{{{{name}}}}}; there are: {', '.join(NAMES)}, and variables.NAME for each of variables"
            )
    return text


def names_in(text: str) -> list[str]:
    """The names that a checked template needs."""
    return _Template(text).get_identifiers()


def render(text: str, values: Mapping[str, str]) -> str:
    """A checked template with its values.

    Args:
        text: the template.
        values: by name; an empty one counts as not given.

    Raises:
        TemplateError: a value is not given; the message names it.
    """
    for name in names_in(text):
        if not values.get(name):
            raise TemplateError(f"{{{{{name}}}}} has no value in this job")
    return _Template(text).substitute(values)

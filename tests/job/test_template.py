"""Templates: names of the job, put in once, and nothing else."""

import pytest

from agent.job.template import TemplateError, check_template, names_in, render

VALUES = {"user.name": "Ana", "agent.name": "Robin", "variables.order_id": "{{user.name}} $x {{", "user.id": ""}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("Hello.", "Hello."),
        ("Hello {{user.name}}!", "Hello Ana!"),
        ("{{ user.name }}, {{agent.name}}", "Ana, Robin"),
        ("{{user.name}}{{user.name}}", "AnaAna"),
        ("Order {{variables.order_id}}", "Order {{user.name}} $x {{"),
        ("{{{{user.name}}", "{{user.name}}"),
        ('{"a": {"b": 1}} costs $5, {c}', '{"a": {"b": 1}} costs $5, {c}'),
    ],
)
def test_names_are_put_in_once(template: str, text: str) -> None:
    """A value stays what it is, doubled braces write themselves, and everything else is text."""
    assert render(check_template(template), VALUES) == text


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{", "must be followed by a name"),
        ("{{}}", "must be followed by a name"),
        ("{{user.name}", "must be followed by a name"),
        ("{{User.name}}", "must be followed by a name"),
        ("{{user.name | upper}}", "must be followed by a name"),
        ("{{#if user.name}}", "must be followed by a name"),
        ("{{user}}", "there is no {{user}}"),
        ("{{user.nmae}}", "there is no {{user.nmae}}"),
        ("{{user.token}}", "there is no {{user.token}}"),
        ("{{variables}}", "there is no {{variables}}"),
        ("{{agent.instructions}}", "there is no {{agent.instructions}}"),
    ],
)
def test_anything_else_in_braces_is_an_error(template: str, said: str) -> None:
    """A mistake is found when the template is read, not when somebody hears it."""
    with pytest.raises(TemplateError) as refusal:
        check_template(template)
    assert said in str(refusal.value)


@pytest.mark.parametrize("name", ["user.id", "variables.nothing"])
def test_a_name_without_a_value_is_an_error(name: str) -> None:
    """Nobody is greeted with a hole in the sentence."""
    with pytest.raises(TemplateError, match="has no value in this job"):
        render(check_template(f"Hello {{{{{name}}}}}"), VALUES)


def test_the_names_that_a_template_needs_are_told() -> None:
    """Each once."""
    assert names_in("{{user.name}} {{variables.a}} {{user.name}}") == ["user.name", "variables.a"]

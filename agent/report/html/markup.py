"""Elements of HTML and SVG. Whatever is no `Markup` is text and is escaped: what people said can be nothing else."""

from html import escape

from agent.report.wording import printable


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child = Markup | str | int | None


def tag(name: str, /, *children: Child, **attributes: str | int | float | bool | None) -> Markup:
    """An element with its children.

    Args:
        name: of the element.
        children: markup as it is, text escaped; None is left out.
        attributes: `class_` is class, an underscore is a hyphen. True stands without a value; None and False are left
            out; numbers are written short.
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{join(*children)}</{name}>")


def join(*parts: Child) -> Markup:
    """Several parts as one; text is escaped."""
    return Markup("".join(part if isinstance(part, Markup) else _text(part) for part in parts if part is not None))


def percent(share: float) -> str:
    """A share of the width, as SVG and HTML take it."""
    return f"{share * 100:.3f}".rstrip("0").rstrip(".") + "%"


VOID = frozenset({"meta", "br", "hr"})


def _attribute(key: str, value: str | int | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    shown = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f' {name}="{_text(shown)}"'


def _text(value: str | int) -> str:
    return escape(printable(str(value)), quote=True)

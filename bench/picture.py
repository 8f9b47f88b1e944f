"""What all pictures of results have in common: SVG without scripts, readable on light and dark ground; pure."""

from collections.abc import Iterable

WIDTH = 800
NAMES = {"ours": "this agent", "stock": "stock", "pipecat": "pipecat"}
# Middle tones that stand out on white and on black; text follows the ground.
_STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #24292f; }
    .title { font-size: 16px; font-weight: 600; }
    .group { font-weight: 600; }
    .note { font-size: 12px; fill: #57606a; }
    .grid { stroke: #8c959f; stroke-opacity: .35; }
    .ours { fill: #1a7f64; stroke: #1a7f64; }
    .stock { fill: #8a63d2; stroke: #8a63d2; }
    .pipecat { fill: #bf6a02; stroke: #bf6a02; }
    .other { fill: #8c959f; stroke: #8c959f; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .note { fill: #9aa4ae; }
      .ours { fill: #3fb68b; stroke: #3fb68b; }
      .stock { fill: #a98bea; stroke: #a98bea; }
      .pipecat { fill: #e3954a; stroke: #e3954a; }
    }
"""


def picture(title: str, label: str, height: int, body: Iterable[str]) -> str:
    """A whole picture.

    Args:
        title: its heading, as SVG text.
        label: what it shows, for those who do not see it.
        height: in pixels; it is 800 wide.
        body: the elements below the heading.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{label}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="16" y="28">{title}</text>',
        *body,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def bar(style: str, start: float, end: float, y: float, height: int) -> str:
    """A bar from one place to another, `y` its upper edge."""
    return (
        f'<rect class="{style}" x="{start}" y="{y}" width="{round(end - start, 1)}" height="{height}" rx="2" '
        f'stroke="none"/>'
    )

"""docs/images/graph.svg, drawn from the definitions: `python -m lgt_assets_tests.graph_picture` (part of `make screenshots`).

A group is a column, an asset a box. Strong arrows go to assets that no longer way leads to; faint lines are the other reads.
"""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from lgt_assets.definitions import defs

FILE = Path(__file__).parents[1] / "docs" / "images" / "graph.svg"
GROUND = ("#e8f0fe", "#e6f4ea", "#fef7e0", "#fce8e6", "#f3e8fd", "#e4f7fb")
INK, FAINT, BORDER, QUIET = "#3c4043", "#b9bdc3", "#3c4043", "#5f6368"
COLUMN, GAP, WIDTH, HEIGHT, TOP, STEP = 190, 44, 166, 42, 28, 78
Edges = dict[str, set[str]]


@dataclass(frozen=True)
class Box:
    """Where an asset stands: its left upper corner, in pixels."""

    x: float
    y: float


def reads() -> tuple[dict[str, str], Edges]:
    """Group of every asset, in an order in which each comes after what it reads, and what each reads."""
    graph = defs.resolve_asset_graph()
    keys = [key for key in graph.toposorted_asset_keys if graph.get(key).is_materializable]
    groups = {key.to_user_string(): graph.get(key).group_name for key in keys}
    return groups, {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys} for key in keys
    }


def direct(edges: Edges) -> Edges:
    """The same without the edges that a longer way replaces."""

    def above(name: str) -> set[str]:
        return set().union(*({parent} | above(parent) for parent in edges[name]))

    return {
        name: {parent for parent in parents if not any(parent in above(other) for other in parents - {parent})}
        for name, parents in edges.items()
    }


def places(groups: dict[str, str]) -> tuple[dict[str, Box], list[str], float]:
    """Every asset's box, the groups from left to right, and the height of the picture."""
    columns = list(dict.fromkeys(groups.values()))
    members = {group: [name for name, own in groups.items() if own == group] for group in columns}
    height = TOP + STEP * max(map(len, members.values())) + 24
    boxes = {}
    for number, group in enumerate(columns):
        free = (height - TOP - 24 - STEP * len(members[group])) / 2
        for row, name in enumerate(members[group]):
            boxes[name] = Box(10 + number * (COLUMN + GAP) + (COLUMN - WIDTH) / 2, TOP + free + row * STEP + 10)
    return boxes, columns, height


def arrow(start: Box, end: Box, strong: bool) -> str:
    """A line from one box to another: down within a column, to the right between columns."""
    if start.x == end.x:
        x = start.x + WIDTH / 2
        path = f"M{x} {start.y + HEIGHT} L{x} {end.y}"
    else:
        x, y, to_x, to_y = start.x + WIDTH, start.y + HEIGHT / 2, end.x, end.y + HEIGHT / 2
        path = f"M{x} {y} C{x + GAP} {y} {to_x - GAP} {to_y} {to_x} {to_y}"
    style = (
        f'stroke="{INK}" stroke-width="1.6" marker-end="url(#arrow)"'
        if strong
        else f'stroke="{FAINT}" stroke-width="1"'
    )
    return f'<path d="{path}" fill="none" {style}/>'


def draw() -> str:
    """The picture as SVG."""
    groups, edges = reads()
    boxes, columns, height = places(groups)
    strong = direct(edges)
    width = 20 + len(columns) * COLUMN + (len(columns) - 1) * GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="15"'
        ' role="img" aria-label="The asset graph">',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0 8 4 0 8z" fill="{INK}"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, group in enumerate(columns):
        x = 10 + number * (COLUMN + GAP)
        lines += [
            f'<rect x="{x}" y="10" width="{COLUMN}" height="{height - 20}" rx="8" fill="{GROUND[number % len(GROUND)]}"/>',
            f'<text x="{x + COLUMN / 2}" y="{height - 18}" text-anchor="middle" fill="{QUIET}" font-size="13">'
            f"{escape(group)}</text>",
        ]
    pairs = [(parent, name) for name in edges for parent in sorted(edges[name])]
    for wanted in (False, True):  # the strong ones above the faint ones
        lines += [
            arrow(boxes[parent], boxes[name], wanted)
            for parent, name in pairs
            if (parent in strong[name]) is wanted and (wanted or boxes[parent].x != boxes[name].x)
        ]
    for name, box in boxes.items():
        lines += [
            f'<rect x="{box.x}" y="{box.y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#fff" stroke="{BORDER}"/>',
            f'<text x="{box.x + WIDTH / 2}" y="{box.y + 26}" text-anchor="middle" fill="#202124">{escape(name)}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    FILE.write_text(draw(), encoding="utf-8")

"""Who was made from whom."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

_EDGES = ("x0", "y0", "x1", "y1")


@dataclass(frozen=True)
class Member:
    """A row as a line of a tree: id, table, and a few of its values."""

    row_id: str
    table: str
    values: dict[str, object]

    @property
    def said(self) -> str:
        """The values in one line."""
        return " · ".join(_said(name, value) for name, value in self.values.items())


def _said(name: str, value: object) -> str:
    if name in _EDGES and isinstance(value, float):
        return f"{value:.0f}"
    if name == "is_correct":
        return "right" if value else "wrong"
    return f"stage {value}" if name == "stage" else str(value)


@dataclass
class Family:
    """Rows by id, with the ids that each names."""

    members: dict[str, Member] = field(default_factory=dict)
    named: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """Ids made directly from each id, in data order."""
        made: dict[str, list[str]] = {}
        for row_id in self.members:
            for parent in self.parents(row_id):
                made.setdefault(parent, []).append(row_id)
        return made

    def parents(self, row_id: str) -> list[str]:
        """Ids the row was made from directly: of those it names, the ones that no other of them descends from."""
        named = self.named.get(row_id, ())
        above = {ancestor for parent in named for ancestor in self.ancestors(parent)}
        return [parent for parent in named if parent not in above]

    def ancestors(self, row_id: str) -> set[str]:
        """All ids above ``row_id``."""
        return _reached(self.named.get(row_id, ()), lambda found: self.named.get(found, ()))

    def descendants(self, row_id: str) -> set[str]:
        """All ids below ``row_id``."""
        return _reached(self.children.get(row_id, ()), lambda found: self.children.get(found, ()))

    def around(self, row_id: str) -> set[str]:
        """The row, all that leads to it, all that descends from it, and all that led to those."""
        below = {row_id} | self.descendants(row_id)
        return below.union(*(self.ancestors(one) for one in below)) & self.members.keys()


def _reached(first: Iterable[str], following: Callable[[str], Iterable[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(first)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += following(one)
    return found

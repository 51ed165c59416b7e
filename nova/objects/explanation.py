"""Why a placement decision fell as it did."""

from __future__ import annotations

from nova.objects.base import Value


class FilterVerdict(Value, frozen=True, kw_only=True):
    """What one filter did."""

    name: str
    before: int
    after: int
    reason: str = ""
    """A sentence with the nearest miss, e.g. "the freest of them has 512 MB of RAM, 2048 MB were asked"."""
    examples: tuple[str, ...] = ()
    """Some hosts it removed."""


class WeighedHost(Value, frozen=True, kw_only=True):
    """A host that passed, with the share of each weigher in its score."""

    host: str
    score: float
    parts: dict[str, float] = {}


class Explanation(Value, frozen=True, kw_only=True):
    """Hosts considered, what each filter removed, how the best were weighed."""

    considered: int = 0
    filters: tuple[FilterVerdict, ...] = ()
    best: tuple[WeighedHost, ...] = ()
    chosen: str | None = None

    def sentence(self) -> str:
        """Say in one sentence why no host was left, or why this one won."""
        if self.chosen is not None:
            rest = f" before {self.best[1].host}" if len(self.best) > 1 else ""
            return f"{self.chosen} was chosen out of {self.considered} hosts{rest}."
        if not self.considered:
            return "No compute host is known yet."
        parts = [
            f"{v.name} removed {v.before - v.after}" + (f" ({v.reason})" if v.reason else "")
            for v in self.filters
            if v.after < v.before
        ]
        return f"{self.considered} hosts were considered: " + "; ".join(parts) + "."

"""The one kind of error a person sees: what is wrong and what to do about it."""

from __future__ import annotations


class Trouble(Exception):
    """Something outside our code that a person can put right.

    ``what`` is one sentence without its full stop; ``advice`` says what to do and is shown after it.
    """

    def __init__(self, what: str, advice: str = "") -> None:
        self.what = what.rstrip(".")
        self.advice = advice.rstrip(".")
        super().__init__(str(self))

    def __str__(self) -> str:
        return f"{self.what}. {self.advice}." if self.advice else f"{self.what}."

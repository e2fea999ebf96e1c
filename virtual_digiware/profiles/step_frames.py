"""What is computed once per base step, found again for the many displayed times inside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import numpy as np

from virtual_digiware.profiles.solution import IntArray


class Stepped(Protocol):
    """Values of some base steps, one row each."""

    @property
    def step(self) -> IntArray: ...


Kind = TypeVar("Kind", bound=Stepped)


class StepFrames(Generic[Kind]):
    """Frames by base step. `build` makes the frame of ascending steps (T,), depending on nothing else."""

    def __init__(self, build: Callable[[IntArray], Kind]) -> None:
        self._build = build
        self._latest: Kind | None = None

    def of(self, step: IntArray) -> tuple[Kind, IntArray]:
        """A frame that covers the steps (T,), and each step's row in it."""
        first = step[0] if step.size else 0
        if step.size and np.all(step == first):
            # Displayed values ask for the same step fifty times: remember it.
            latest = self._latest
            if latest is None or latest.step[0] != first:
                latest = self._build(step[:1])
                self._latest = latest
            return latest, np.zeros(step.size, dtype=np.int64)
        unique, place = np.unique(step, return_inverse=True)
        return self._build(unique), place

"""Booking: powers of intervals to whole millijoules that add up exactly at every board."""

from __future__ import annotations

import numpy as np

from virtual_digiware.profiles.circuits import Circuits
from virtual_digiware.profiles.connections import Connections
from virtual_digiware.profiles.solution import IntArray, Solution
from virtual_digiware.profiles.tree import Tree


class Ledger:
    """Who adds up to whom: a load's circuit is rounded once, every other energy is a sum of whole numbers."""

    def __init__(self, tree: Tree, connections: Connections, circuits: Circuits) -> None:
        self._circuits = circuits
        self._with_loads = np.unique(connections.load_circuit)
        self._board_of_loads = circuits.board[self._with_loads]
        feeder_of = {
            int(board): int(circuit) for board, circuit in zip(circuits.fed, circuits.feeders, strict=True)
        }
        # Tree order puts every board behind its parent: backwards, each total is complete when passed on.
        self._upwards = [
            (board, feeder_of[board], int(tree.parent[board]))
            for board in reversed(range(tree.parent.size))
            if board in feeder_of
        ]
        self._boards = tree.parent.size

    def book(self, solution: Solution) -> IntArray:
        """Signed active energy of each circuit in each interval: (T, K), mJ.

        Kirchhoff holds to the last digit: an incomer is the sum of its board's circuits, a feeder is the
        board it feeds plus the rounded loss in its cable.
        """
        duration_ms = solution.end_ms - solution.start_ms
        active = solution.active_w
        total_w = active[:, :, 0] + active[:, :, 1] + active[:, :, 2]
        energy = np.zeros(total_w.shape, dtype=np.int64)
        leaves = self._with_loads
        energy[:, leaves] = np.rint(total_w[:, leaves] * duration_ms[:, None]).astype(np.int64)
        loss = np.rint(solution.loss_w * duration_ms[:, None]).astype(np.int64)
        boards = np.zeros((duration_ms.size, self._boards), dtype=np.int64)
        np.add.at(boards.T, self._board_of_loads, energy[:, leaves].T)
        for board, feeder, parent in self._upwards:
            energy[:, feeder] = boards[:, board] + loss[:, feeder]
            boards[:, parent] += energy[:, feeder]
        incomers = self._circuits.incomers
        energy[:, incomers] = boards[:, self._circuits.board[incomers]]
        return energy

"""Stateless noise: every number is a hash of who asks (key), what for (stream) and when (slot).

Nothing here keeps a state, so any instant can be evaluated first, last or twice, and one
load's noise never depends on which other loads exist.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from virtual_digiware.profiles.solution import FloatArray, IntArray

UintArray = npt.NDArray[np.uint64]

# SplitMix64: Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)

_LANES = np.uint64(0x0000FFFF0000FFFF)
_LOW_WORD = np.uint64(0x00000000FFFFFFFF)
_S16, _S32, _S11 = np.uint64(16), np.uint64(32), np.uint64(11)
_LANES_MEAN = 4 * (2**16 - 1) / 2
_LANES_SIGMA = math.sqrt(4 * (2.0**32 - 1) / 12)

INDEPENDENCE = 14.0
"""Values of an Ornstein-Uhlenbeck process this many correlation times apart count as independent (8e-7)."""
_LEAST_LEVELS = 8


class Stream(IntEnum):
    """What a key's noise is used for; numbers are part of every site's identity and never reused."""

    SLOW = 1
    DAY = 2
    DETAIL = 3
    IMBALANCE = 4
    VARIANT = 5
    WEATHER_SLOW = 10
    WEATHER_FAST = 11
    FREQUENCY_FAST = 12
    FREQUENCY_SLOW = 13
    MARKET = 14
    VOLTAGE_COMMON = 15
    VOLTAGE_PHASE = 16
    UNBALANCE = 17
    BACKGROUND = 18
    CYCLE = 100
    """First of four streams (offset, occurrence, size, place) of a load's first cycle; the next's follow."""


def key(seed: int, site: str, uid: str) -> int:
    """Noise key of one thing of a site: an unsigned 64-bit integer, 64 bits of BLAKE2b."""
    text = "\x1f".join((str(seed), site, uid))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def key_array(keys: Sequence[int]) -> UintArray:
    """Keys as an array (N,)."""
    return np.array(keys, dtype=np.uint64)


def _mix(x: UintArray) -> UintArray:
    """SplitMix64's finaliser, in place."""
    x ^= x >> _S30
    x *= _MIX_1
    x ^= x >> _S27
    x *= _MIX_2
    x ^= x >> _S31
    return x


def derive(keys: npt.ArrayLike, stream: npt.ArrayLike) -> UintArray:
    """Starting points of one stream of each key; pass them to `bits`. Shapes broadcast, at least (1,)."""
    mixed = _mix(np.atleast_1d(np.asarray(stream, dtype=np.uint64)) * _GOLDEN)
    return _mix(np.asarray(keys, dtype=np.uint64) ^ mixed)


def bits(derived: UintArray, slot: npt.ArrayLike) -> UintArray:
    """64 hashed bits for each slot (any int64, negative too); shapes broadcast."""
    steps = np.atleast_1d(np.asarray(slot, dtype=np.int64)).astype(np.uint64)
    return _mix(derived + steps * _GOLDEN)


def as_uniform(hashed: UintArray) -> FloatArray:
    """Bits to numbers in [0, 1), 53 bits fine."""
    return (hashed >> _S11).astype(np.float64) * 2.0**-53


def as_normal(hashed: UintArray) -> FloatArray:
    """Bits to a bounded normal: four 16-bit lanes added; variance 1, never beyond 3.47, kurtosis 2.7."""
    pairs = (hashed & _LANES) + ((hashed >> _S16) & _LANES)
    total = (pairs & _LOW_WORD) + (pairs >> _S32)
    return (total.astype(np.float64) - _LANES_MEAN) / _LANES_SIGMA


def uniform(keys: npt.ArrayLike, stream: npt.ArrayLike, slot: npt.ArrayLike) -> FloatArray:
    """Uniform numbers in [0, 1); keys, streams and slots broadcast."""
    return as_uniform(bits(derive(keys, stream), slot))


def normal(keys: npt.ArrayLike, stream: npt.ArrayLike, slot: npt.ArrayLike) -> FloatArray:
    """Bounded normal numbers; keys, streams and slots broadcast."""
    return as_normal(bits(derive(keys, stream), slot))


class OrnsteinUhlenbeck:
    """Ornstein-Uhlenbeck processes of variance 1 that can be evaluated at any instant.

    Values at the leaves (multiples of `leaf_ms`) have the exact covariance exp(-distance / tau); between
    leaves the process is a straight line. A leaf is found by halving an interval between two independent
    values: given a and b at both ends and h the half-distance, the middle is w(a + b) + g xi with
    rho = exp(-h / tau), w = rho / (1 + rho^2), g = sqrt((1 - rho^2) / (1 + rho^2)).
    """

    def __init__(
        self, keys: npt.ArrayLike, stream: npt.ArrayLike, tau_ms: npt.ArrayLike, leaf_ms: int
    ) -> None:
        """`keys`, `stream` and `tau_ms` broadcast to (N,)."""
        derived = derive(keys, stream)
        tau = np.broadcast_to(np.asarray(tau_ms, dtype=np.float64), derived.shape)
        self.leaf_ms = leaf_ms
        self.size = derived.size
        # How often an interval is halved depends on the own tau only, never on the other processes.
        levels = np.array([_levels(float(value), leaf_ms) for value in tau], dtype=np.int64)
        self._groups: list[_Group] = []
        for count in np.unique(levels):
            members = np.flatnonzero(levels == count)
            half = leaf_ms * 2.0 ** np.arange(count - 1, -1, -1)
            rho = np.exp(-half[:, None] / tau[members])
            weight = rho / (1 + rho**2)
            gain = np.sqrt((1 - rho**2) / (1 + rho**2))
            self._groups.append(_Group(members, derived[members], int(count), weight, gain))

    def around(self, leaf: IntArray) -> tuple[FloatArray, FloatArray]:
        """Values at the leaves `leaf` (n,) and at the next ones: two arrays (n, N)."""
        if len(self._groups) == 1:
            return self._groups[0].around(leaf)
        left = np.empty((leaf.size, self.size))
        right = np.empty_like(left)
        for group in self._groups:
            left[:, group.members], right[:, group.members] = group.around(leaf)
        return left, right

    def at(self, t_ms: IntArray) -> FloatArray:
        """Values at instants (T,): array (T, N)."""
        leaves, place = np.unique(t_ms // self.leaf_ms, return_inverse=True)
        left, right = self.around(leaves)
        fraction = (t_ms % self.leaf_ms)[:, None] / self.leaf_ms
        start = left[place]
        return start + (right[place] - start) * fraction


class _Group:
    """Processes whose intervals are halved equally often."""

    def __init__(
        self, members: IntArray, derived: UintArray, levels: int, weight: FloatArray, gain: FloatArray
    ) -> None:
        self.members = members
        self._derived = derived
        self._levels = levels
        self._weight = weight
        self._gain = gain

    def _value(self, leaf: IntArray) -> FloatArray:
        # Every leaf is the middle of exactly one interval (or a top), so its index alone names its noise.
        return as_normal(bits(self._derived, leaf[:, None]))

    def around(self, leaf: IntArray) -> tuple[FloatArray, FloatArray]:
        width = 1 << self._levels
        start = leaf >> self._levels << self._levels
        left, right = self._value(start), self._value(start + width)
        for level in range(self._levels):
            width >>= 1
            middle = start + width
            value = self._weight[level] * (left + right) + self._gain[level] * self._value(middle)
            is_right = leaf >= middle
            start = np.where(is_right, middle, start)
            left = np.where(is_right[:, None], value, left)
            right = np.where(is_right[:, None], right, value)
        return left, right


def _levels(tau_ms: float, leaf_ms: int) -> int:
    return max(_LEAST_LEVELS, math.ceil(math.log2(max(INDEPENDENCE * tau_ms / leaf_ms, 1.0))))


def ou(
    keys: npt.ArrayLike, stream: npt.ArrayLike, t_ms: IntArray, tau_ms: npt.ArrayLike, leaf_ms: int
) -> FloatArray:
    """`OrnsteinUhlenbeck` without keeping the compiled process: values (T, N) at instants (T,)."""
    return OrnsteinUhlenbeck(keys, stream, tau_ms, leaf_ms).at(t_ms)

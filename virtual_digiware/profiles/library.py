"""The library of load classes and daily profiles: data files read, checked and handed out immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from virtual_digiware.profiles.daily_profiles import daily_profile, daily_profiles
from virtual_digiware.profiles.package_text import (
    LibraryError,
    entries,
    number,
    package_file,
    span,
    text_of,
    words,
)
from virtual_digiware.profiles.solution import ComplexArray, FloatArray
from virtual_digiware.profiles.spectra import Spectrum, spectra

__all__ = ["Cycle", "LibraryError", "LoadClass", "daily_profile", "load_classes", "parse_load_classes"]

FILE = "load_classes.yaml"
BASE_STEP_S = 10


@dataclass(frozen=True)
class Cycle:
    """Pulses on top of the steady part: at most one in each slot of `period_s`, anywhere inside it.

    Amplitude A and duration are hashed from (least, greatest). On top of the steady part, x seconds after
    the start: A * nominal_w * (1 + (inrush_multiple - 1) * exp(-x / inrush_tau_s)).
    A negative amplitude is regenerative.
    """

    period_s: float
    """Length of a slot, a multiple of 10 s, so that no slot's edge cuts a base step."""
    duration_s: tuple[float, float]
    """Never longer than the slot."""
    amplitude: tuple[float, float]
    """Fractions of the nominal power."""
    probability: float = 1.0
    """That a slot holds a pulse. Poisson events: short slots, probability 1 - exp(-rate * period_s)."""
    inrush_multiple: float = 1.0
    inrush_tau_s: float = 0.0
    scaled_by_profile: bool = False
    """The probability is multiplied by the normalised daily profile at the slot's middle, 1 at most."""


@dataclass(frozen=True)
class LoadClass:
    """How a kind of load behaves over time and on the network; powers are fractions of nominal power.

    Sign: positive is consumption. `power_factor` and `part_load` are cos phi of the fundamental.
    """

    name: str
    label: str
    source: str
    profile: str
    """Name of the daily profile p(t), whose mean over a winter workday is 1."""
    mean_level: float
    """Steady fraction where the profile is 1; negative for a class that exports."""
    night_base: float
    """Steady fraction where the profile is 0; see `steady_level`."""
    power_factor: float
    leading: bool
    part_load: tuple[tuple[float, float], ...]
    """(load level, cos phi) with ascending levels, straight lines between, held outside. Full load is level
    1; levels above it describe an inrush."""
    imbalance: float
    """Standard deviation of a phase's share around a third, relative."""
    kp: float
    kq: float
    kf: float
    """P ~ V^kp f^kf and Q ~ V^kq."""
    sigma: float
    """Standard deviation of the slow noise, relative to the steady part; at most 0.2."""
    fluctuation: float
    """Standard deviation of the detail between 200 ms windows, relative; its mean over 10 s is zero."""
    tau_s: float
    """Correlation time of the slow noise."""
    weather: float
    """Share of the site's common weather (warm and sunny is positive): the steady part moves by this fraction
    for one standard deviation of it."""
    day_sigma: float
    """Standard deviation of the factor from day to day, relative."""
    cycles: tuple[Cycle, ...]
    levels: tuple[float, ...]
    """Load levels of the spectra, ascending; straight lines between and held outside."""
    spectra: ComplexArray
    """(variants, len(levels), H) relative to the fundamental current, H = len(ORDERS), index 0 equal to 1."""

    def steady_level(self, profile: FloatArray) -> FloatArray:
        """Steady fraction of the nominal power at values of the normalised profile, any shape.

        A straight line through `night_base` at 0 and `mean_level` at 1, because means must stay means.
        """
        return self.night_base + (self.mean_level - self.night_base) * profile


_ENVELOPE = (
    "profile",
    "mean_level",
    "night_base",
    "sigma",
    "fluctuation",
    "tau_s",
    "weather",
    "day_sigma",
)
_NETWORK = ("power_factor", "leading", "part_load", "imbalance", "kp", "kq", "kf")
_CYCLE = (
    "period_s",
    "duration_s",
    "amplitude",
    "probability",
    "inrush_multiple",
    "inrush_tau_s",
    "scaled_by_profile",
)


def _cycle(row: object, key: str) -> Cycle:
    if not isinstance(row, str):
        raise LibraryError(FILE, key, f"text is needed, found {row!r}")
    found = words(row, FILE, key, _CYCLE)

    def value(name: str, default: str) -> float:
        return number(found.get(name, default), FILE, f"{key}.{name}")

    cycle = Cycle(
        period_s=value("period_s", ""),
        duration_s=span(found.get("duration_s", ""), FILE, f"{key}.duration_s"),
        amplitude=span(found.get("amplitude", ""), FILE, f"{key}.amplitude"),
        probability=value("probability", "1"),
        inrush_multiple=value("inrush_multiple", "1"),
        inrush_tau_s=value("inrush_tau_s", "0"),
        scaled_by_profile="scaled_by_profile" in found,
    )
    if cycle.period_s <= 0 or cycle.period_s % BASE_STEP_S:
        raise LibraryError(FILE, f"{key}.period_s", f"a multiple of 10 s is needed, found {cycle.period_s:g}")
    if not 0 < cycle.duration_s[0] <= cycle.duration_s[1] <= cycle.period_s:
        raise LibraryError(FILE, f"{key}.duration_s", "must be above 0 and not longer than the period")
    if not 0 <= cycle.probability <= 1:
        raise LibraryError(FILE, f"{key}.probability", f"0..1 is needed, found {cycle.probability:g}")
    if (cycle.inrush_multiple != 1) != (cycle.inrush_tau_s > 0):
        raise LibraryError(
            FILE, f"{key}.inrush_tau_s", "an inrush needs both its multiple and a time above 0"
        )
    return cycle


def _part_load(text: str, key: str, power_factor: float) -> tuple[tuple[float, float], ...]:
    pairs = []
    for part in text.split():
        level, _, cos_phi = part.partition(":")
        pairs.append((number(level, FILE, key), number(cos_phi, FILE, key)))
    levels = [level for level, _ in pairs]
    if levels != sorted(set(levels)) or not all(0 < cos_phi <= 1 for _, cos_phi in pairs):
        raise LibraryError(
            FILE, key, "level:cos_phi pairs with ascending levels and cos phi in 0..1 are needed"
        )
    if pairs and (1.0, power_factor) not in pairs:
        raise LibraryError(FILE, key, f"at level 1 the power factor {power_factor:g} is needed")
    return tuple(pairs) or ((1.0, power_factor),)


def _load_class(name: str, entry: Mapping[str, object], known_spectra: Mapping[str, Spectrum]) -> LoadClass:
    envelope = words(text_of(entry, FILE, name, "envelope"), FILE, f"{name}.envelope", _ENVELOPE)
    network = words(text_of(entry, FILE, name, "network"), FILE, f"{name}.network", _NETWORK)
    cycles = entry.get("cycles", [])
    if not isinstance(cycles, list):
        raise LibraryError(FILE, f"{name}.cycles", f"a list is needed, found {cycles!r}")

    def steady(key: str) -> float:
        return number(envelope.get(key, "0"), FILE, f"{name}.envelope.{key}")

    def electrical(key: str, default: str = "0") -> float:
        return number(network.get(key, default), FILE, f"{name}.network.{key}")

    profile = envelope.get("profile", "")
    if profile not in daily_profiles():
        known = ", ".join(daily_profiles())
        raise LibraryError(FILE, f"{name}.envelope.profile", f"no profile {profile!r}; known: {known}")
    spectrum = text_of(entry, FILE, name, "spectrum")
    if spectrum not in known_spectra:
        known = ", ".join(known_spectra)
        raise LibraryError(FILE, f"{name}.spectrum", f"no spectrum {spectrum!r}; known: {known}")
    power_factor = electrical("power_factor", "1")
    if not 0 < power_factor <= 1:
        raise LibraryError(FILE, f"{name}.network.power_factor", f"0..1 is needed, found {power_factor:g}")
    for key in ("sigma", "fluctuation", "day_sigma"):
        # A larger deviation could carry a load through zero, and a floor there would spoil exact step means.
        if not 0 <= steady(key) <= 0.2:
            raise LibraryError(FILE, f"{name}.envelope.{key}", f"0..0.2 is needed, found {steady(key):g}")
    if steady("sigma") > 0 and steady("tau_s") <= 0:
        raise LibraryError(FILE, f"{name}.envelope.tau_s", "noise needs a correlation time above 0")
    return LoadClass(
        name=name,
        label=text_of(entry, FILE, name, "label"),
        source=text_of(entry, FILE, name, "source"),
        profile=profile,
        mean_level=steady("mean_level"),
        night_base=steady("night_base"),
        power_factor=power_factor,
        leading="leading" in network,
        part_load=_part_load(network.get("part_load", ""), f"{name}.network.part_load", power_factor),
        imbalance=electrical("imbalance"),
        kp=electrical("kp"),
        kq=electrical("kq"),
        kf=electrical("kf"),
        sigma=steady("sigma"),
        fluctuation=steady("fluctuation"),
        tau_s=steady("tau_s"),
        weather=steady("weather"),
        day_sigma=steady("day_sigma"),
        cycles=tuple(_cycle(row, f"{name}.cycles[{index}]") for index, row in enumerate(cycles)),
        levels=known_spectra[spectrum].levels,
        spectra=known_spectra[spectrum].values,
    )


def parse_load_classes(text: str, known_spectra: Mapping[str, Spectrum]) -> dict[str, LoadClass]:
    """Load classes of a data file's text by name.

    Raises:
        LibraryError: Unknown or missing key, value out of range, profile or spectrum that does not exist.
    """
    known = ("label", "spectrum", "envelope", "network", "cycles")
    return {
        name: _load_class(name, entry, known_spectra) for name, entry in entries(text, FILE, known).items()
    }


@cache
def load_classes() -> Mapping[str, LoadClass]:
    """The shipped load classes by name, in the order of the data file."""
    return MappingProxyType(parse_load_classes(package_file(FILE), spectra()))

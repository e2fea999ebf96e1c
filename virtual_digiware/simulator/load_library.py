"""Names of the load classes and daily profiles that a site file may use."""

from __future__ import annotations


def load_class_names() -> tuple[str, ...]:
    """Every load class, in the order of the library."""
    from virtual_digiware.profiles.library import load_classes

    return tuple(load_classes())


def profile_names() -> tuple[str, ...]:
    """Every daily profile, in the order of the library."""
    from virtual_digiware.profiles.daily_profiles import daily_profiles

    return tuple(daily_profiles())

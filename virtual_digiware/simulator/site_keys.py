"""Which keys the site models know at a place of the site file, for messages about unknown ones."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel

from virtual_digiware.simulator.site_models import Site
from virtual_digiware.simulator.yaml_text import KeyPath


def keys_at(path: KeyPath) -> list[str]:
    """Keys that may stand under `path`, by the names used in the file."""
    models: list[type[BaseModel]] = [Site]
    inside_collection = False
    for key in path:
        if inside_collection or isinstance(key, int):
            # The name of a board or the index of a gateway: the models are those of the collection.
            inside_collection = False
            continue
        models, inside_collection = _step(models, key)
    return [] if inside_collection else sorted({name for model in models for name in _names(model)})


def _step(models: list[type[BaseModel]], key: str) -> tuple[list[type[BaseModel]], bool]:
    for model in models:
        for name, field in model.model_fields.items():
            if (field.alias or name) == key:
                found: list[type[BaseModel]] = []
                collection = _collect(field.annotation, found)
                return found, collection
    return [], False


def _collect(annotation: Any, found: list[type[BaseModel]]) -> bool:
    """Gather the models inside an annotation; true when a mapping of names stands around them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        found.append(annotation)
        return False
    is_mapping = getattr(annotation, "__origin__", None) is dict
    inner = [_collect(part, found) for part in get_args(annotation)]
    return is_mapping or any(inner)


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]

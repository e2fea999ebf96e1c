"""Reading the package's own data files.

PyYAML's C loader, because a site uses a hundred of them: ruamel.yaml, which reads what users write and can
name its line, takes thirty times as long. A test compares both on every file, since PyYAML follows YAML 1.1.
"""

from __future__ import annotations

from collections.abc import Hashable

import yaml

DataError = yaml.YAMLError
"""What `read` raises for text that is not YAML; its text names line and column."""

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML built without libyaml: slower, otherwise the same
    from yaml import SafeLoader as _Base  # type: ignore[assignment]


class _Loader(_Base):
    """Refuses a key that stands twice, which PyYAML would let the second win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        mapping: dict[Hashable, object] = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(node.value):
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            twice = next(key for at, key in enumerate(keys) if key in keys[:at])
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {twice!r} stands twice", node.start_mark
            )
        return mapping


def read(text: str) -> object:
    """The value of a YAML document. Raises `DataError`."""
    value: object = yaml.load(text, Loader=_Loader)
    return value

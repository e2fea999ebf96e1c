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


_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"


def read(text: str) -> object:
    """The value of a YAML document. Raises `DataError`, also for a key that stands twice."""
    loader = _Base(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _value(loader, node)
    finally:
        loader.dispose()


def _value(loader: _Base, node: yaml.Node) -> object:
    """As PyYAML's constructor, in half its time: that one is made for more than plain values."""
    if isinstance(node, yaml.ScalarNode):
        return node.value if node.tag == _TEXT else loader.construct_object(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item) for item in node.value]
    mapping: dict[Hashable, object] = {}
    for key_node, value_node in node.value:
        if key_node.tag == _MERGE or not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key that is no word", key_node.start_mark)
        key: Hashable = _value(loader, key_node)
        if key in mapping:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice", node.start_mark
            )
        mapping[key] = _value(loader, value_node)
    return mapping

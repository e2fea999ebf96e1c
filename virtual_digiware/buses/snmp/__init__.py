"""SNMP agent of a gateway: what it has collected as a tree of objects, for v1, v2c and v3, and its traps."""

"""The electrical truth: sources, loads and the network between them, as numpy arithmetic over time."""

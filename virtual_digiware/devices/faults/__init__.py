"""Faults of a site: which are there, and what they do to the devices."""

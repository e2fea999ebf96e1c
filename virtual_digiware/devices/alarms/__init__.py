"""Alarms: which are set, when they begin and end, how they are shown. A function of truth and records."""

"""The registry of faults: what there is, what each does and shows, and injecting them into a running site."""

"""The control API: a running site asked and commanded over HTTP, on a port of its own."""

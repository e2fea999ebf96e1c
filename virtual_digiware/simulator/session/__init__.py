"""A site in the hands of a Python program, which says what time it is there and what goes wrong."""

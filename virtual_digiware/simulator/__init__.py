"""The site: file, clock, journal, building and running it, and the command line."""

"""`python -m virtual_digiware` is the command `vdigiware`."""

from virtual_digiware.simulator.cli import main

main()

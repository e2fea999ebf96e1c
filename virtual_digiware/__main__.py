"""`python -m virtual_digiware`, and the command `vdigiware`: the same."""

from __future__ import annotations

import gc
import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    # Nothing that is made while loading becomes garbage; looking for it would cost a tenth of the start.
    gc.disable()
    # The matrices of a site are small: more threads cost more than they bring, and start slowly.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Looking for plugins of pydantic reads the description of every package there is.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    _open_standard_streams()
    try:
        from virtual_digiware.simulator.cli import app

        app()
    except KeyboardInterrupt:  # while loading; later it is a request to stop
        sys.exit(INTERRUPTED)


def _open_standard_streams() -> None:
    """Let streams that the caller has closed lead nowhere; else a socket of ours would take their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, so this one
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115


if __name__ == "__main__":
    main()

"""`python -m virtual_digiware`, and the command `vdigiware`: the same."""

from __future__ import annotations

import gc
import os


def main() -> None:
    """Run the command line."""
    # Nothing that is made while loading becomes garbage; looking for it would cost a tenth of the start.
    gc.disable()
    # The matrices of a site are small: more threads cost more than they bring, and start slowly.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from virtual_digiware.simulator.cli import app

    app()


if __name__ == "__main__":
    main()

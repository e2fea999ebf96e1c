"""How property tests run: without deadlines, as machines differ; on a build server with the same examples."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("here", deadline=None)
settings.register_profile("build-server", deadline=None, derandomize=True)
settings.load_profile("build-server" if os.environ.get("CI", "").lower() == "true" else "here")

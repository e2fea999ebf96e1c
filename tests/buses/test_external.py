"""What a test does without a program that it needs."""

from __future__ import annotations

import pytest

from tests.external import require_header, require_program


def test_an_absent_program_skips_a_test_at_home_and_fails_it_in_the_ci(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-program"):
        require_program("no-such-program")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="no-such-program"):
        require_program("no-such-program")
    with pytest.raises(pytest.skip.Exception, match=r"no/such\.h"):
        require_header("no/such.h")

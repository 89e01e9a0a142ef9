"""What every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of vendors' specs, recordings and public vectors that ANNEXA_TEST_DATA names."""
    folder = os.environ.get("ANNEXA_TEST_DATA")
    if not folder:
        pytest.skip("ANNEXA_TEST_DATA is not set: vendors' specs and public test vectors are not part of the project")
    return Path(folder).resolve()

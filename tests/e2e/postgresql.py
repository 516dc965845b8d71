# SPDX-License-Identifier: Apache-2.0
"""The PostgreSQL of a test run."""

import sys

import pytest

from conftest import BUILD, ROOT

sys.path.append(str(ROOT / "tests/support"))
from throwaway import programs, running  # noqa: E402


@pytest.fixture(scope="session")
def postgresql():
    if not programs():
        pytest.skip("no PostgreSQL server: apt-get install postgresql")
    with running(BUILD) as server:
        yield server

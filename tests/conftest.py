"""What every room's tests share."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of vendors' specs, recordings and public vectors that ANNEXA_TEST_DATA names."""
    folder = os.environ.get("ANNEXA_TEST_DATA")
    if not folder:
        pytest.skip("ANNEXA_TEST_DATA is not set: vendors' specs and public test vectors are not part of the project")
    return Path(folder).resolve()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database: once SQLite in a file, once a real PostgreSQL (ANNEXA_TEST_POSTGRESQL)."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/annexa.db"
    server = os.environ.get("ANNEXA_TEST_POSTGRESQL")
    if not server:
        pytest.skip("ANNEXA_TEST_POSTGRESQL is not set: the address of a PostgreSQL database that tests may fill")
    return _empty_schema(server, request)


def _empty_schema(server: str, request: pytest.FixtureRequest) -> str:
    """A schema of its own in the server's database, dropped afterwards; tests may run at the same time."""
    import sqlalchemy

    name = f"annexa_{uuid.uuid4().hex}"
    engine = sqlalchemy.create_engine(server)

    def run(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(statement))

    def drop() -> None:
        run(f"drop schema {name} cascade")
        engine.dispose()

    run(f"create schema {name}")
    request.addfinalizer(drop)
    return f"{server}?options=-csearch_path%3D{name}"

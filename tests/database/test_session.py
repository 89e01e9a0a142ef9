from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from annexa.database.models import Base, Checkpoint
from annexa.database.session import HEAD, open_reader, open_writer, reading, revision, writing
from annexa.errors import ConfigError, StoreError


def test_migrations_give_exactly_the_models(database: str) -> None:
    engine = open_writer(database)
    assert revision(engine) == HEAD
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_opening_twice_migrates_once_and_keeps_rows(database: str) -> None:
    engine = open_writer(database)
    with writing(engine) as session:
        session.add(Checkpoint(size=1, time="2026-09-01T00:00:00.000000Z", root=b"r" * 32, note="n"))
    engine.dispose()
    again = open_writer(database)
    with reading(again) as session:
        assert session.get(Checkpoint, 1) is not None
    again.dispose()


def test_a_failed_transaction_leaves_nothing(database: str) -> None:
    engine = open_writer(database)

    def halfway() -> None:
        with writing(engine) as session:
            session.add(Checkpoint(size=1, time="2026-09-01T00:00:00.000000Z", root=b"r" * 32, note="n"))
            session.flush()
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        halfway()
    with reading(engine) as session:
        assert session.get(Checkpoint, 1) is None
    engine.dispose()


def test_a_reader_of_nothing_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing has been recorded") as caught:
        open_reader(f"sqlite:///{tmp_path}/none.db")
    assert "annexa scan" in caught.value.remedy
    assert not (tmp_path / "none.db").exists()


def test_a_reader_refuses_another_schema(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/annexa.db"
    engine = open_writer(url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))
    engine.dispose()
    with pytest.raises(StoreError, match="schema 0000"):
        open_reader(url)


def test_sqlite_is_durable(tmp_path: Path) -> None:
    engine = open_writer(f"sqlite:///{tmp_path}/annexa.db")
    with engine.connect() as connection:
        assert connection.execute(text("pragma journal_mode")).scalar() == "wal"
        assert connection.execute(text("pragma synchronous")).scalar() == 2
        assert connection.execute(text("pragma foreign_keys")).scalar() == 1
    engine.dispose()


def test_errors_name_the_database_without_its_password() -> None:
    with pytest.raises(ConfigError):
        open_writer("nonsense")
    with pytest.raises(StoreError) as caught:
        open_writer("postgresql+psycopg://ada:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1:1/none" in str(caught.value)

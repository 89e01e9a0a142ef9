"""Three runs on a PostgreSQL server: the same story as on SQLite, and the same records."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from annexa.database.models import Run
from annexa.database.session import open_writer
from annexa.evidence.ledger import Ledger
from annexa.evidence.tree_check import verify_tree
from annexa.record import rebuild
from tests.cycle.estate import SOURCES, Estate


@pytest.mark.slow
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_company_is_scanned_into_this_database(ltd: Estate, database: str) -> None:
    ltd.state = database
    ltd.sources = {name: SOURCES[name] for name in ("code", "incidents")}
    assert ltd.scan().exit_code == 1
    first = {key: (row.id, row.state) for key, row in ltd.nonconformities().items()}
    standing = ltd.standing()
    assert first["incident-resolved-in-time", "incidents"][1] == "open"
    assert ltd.scan().nonconformities == {"raised": [], "updated": [], "resolved": [], "reopened": []}
    assert ltd.standing() == standing
    ltd.become("repair")
    ltd.scan()
    repaired = {key: (row.id, row.state) for key, row in ltd.nonconformities().items()}
    assert repaired["github-review-required", "code"] == (first["github-review-required", "code"][0], "resolved")
    assert {key: name for key, (name, _) in repaired.items()} == {key: name for key, (name, _) in first.items()}
    assert len(ltd.all(Run)) == 3
    engine = open_writer(ltd.config.database_url())
    with Session(engine) as session:
        size = verify_tree(session)
        assert rebuild(session, Ledger(session), ltd.blobs) == size
        session.commit()
    engine.dispose()
    again = {key: (row.id, row.state) for key, row in ltd.nonconformities().items()}
    assert again == repaired

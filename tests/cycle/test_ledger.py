"""What a run leaves in the ledger: all of it, in order, signed, and enough to make the tables anew."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from annexa.config import Config
from annexa.database.models import VerdictRow
from annexa.database.session import open_writer
from annexa.evidence import checkpoints, keys
from annexa.evidence.leaves import Leaf
from annexa.evidence.ledger import Ledger
from annexa.evidence.note_keys import Verifier
from annexa.evidence.notes import open_note
from annexa.evidence.tree_check import verify_tree
from annexa.record import PROJECTIONS, rebuild
from tests.cycle.estate import SOURCES, Estate


def test_a_run_is_in_the_ledger_from_its_plan_to_its_end(ltd: Estate) -> None:
    ltd.sources = {name: SOURCES[name] for name in ("code", "incidents", "people")}
    ltd.github.deny("/orgs/example/rulesets")
    summary = ltd.scan()
    assert summary.exit_code == 2, "something was denied, though no check reads it"
    with ltd.session() as session:
        leaves = [entry.read() for entry in Ledger(session).entries()]
        size, note = verify_tree(session), Ledger(session).latest_checkpoint()
    assert {leaf.run for leaf in leaves} == {summary.run}
    assert [leaf.kind for leaf in leaves if leaf.kind in ("run_start", "run_end")] == ["run_start", "run_end"]
    assert (leaves[0].kind, leaves[-1].kind) == ("run_start", "run_end")
    assert _shards(leaves, "run_start") == _shards(leaves, "collection") == sorted(_PLANNED)
    kinds = [leaf.kind for leaf in leaves]
    assert kinds[1:10] == ["collection"] * 9, "each shard when it ends, before anything is judged"
    judged = [leaf.body["check"] for leaf in leaves if leaf.kind == "assessment"]
    assert len(judged) == len(set(judged)) == len(ltd.results()) > 10
    assert "okta-app-sign-on" not in judged
    states = {leaf.body["fetch"]: leaf.body["state"] for leaf in leaves if leaf.kind == "collection"}
    assert states.pop("rulesets") == "denied"
    assert set(states.values()) == {"complete"}
    assert leaves[-1].body["counts"]["shards"] == {"complete": 8, "denied": 1}
    assert [leaf.time for leaf in leaves] == sorted(leaf.time for leaf in leaves)
    _signed(ltd.config, note, size)
    assert size == len(leaves)


_PLANNED = [
    *(("code", fetch) for fetch in ("organisation", "rulesets", "members", "members_without_2fa")),
    *(("code", fetch) for fetch in ("outside_collaborators", "repositories", "branch_protection")),
    ("incidents", "records"),
    ("people", "records"),
]


def _shards(leaves: list[Leaf], kind: str) -> list[tuple[str, str]]:
    bodies = [leaf.body for leaf in leaves if leaf.kind == kind]
    shards = [shard for body in bodies for shard in body.get("planned", [body])]
    return sorted((shard["source"], shard["fetch"]) for shard in shards)


def _signed(config: Config, note: str | None, size: int) -> None:
    assert note is not None
    public = keys.public_path(config.ledger.key).read_text(encoding="utf-8").strip()
    head = checkpoints.parse(open_note(note, [Verifier.parse(public)]).text)
    assert (head.origin, head.size) == ("example.com/isms", size)


def test_every_digest_in_the_ledger_is_a_sound_blob(ltd: Estate) -> None:
    ltd.sources = {name: SOURCES[name] for name in ("okta", "people")}
    ltd.scan()
    with ltd.session() as session:
        bodies = [entry.read().body for entry in Ledger(session).entries()]
    digests = {body[name] for body in bodies for name in ("exchanges", "bodies", "results") if body.get(name)}
    digests |= {table["blob"] for body in bodies for table in body.get("tables", []) if "blob" in table}
    digests |= {cite["blob"] for body in bodies for cite in body.get("cites", [])}
    for digest in digests:
        ltd.blobs.verify(digest)
    assert ltd.stored() == digests, "and there is nothing that no entry names"


@pytest.mark.slow
def test_the_tables_can_be_made_anew_from_the_ledger(ltd: Estate) -> None:
    ltd.sources = {name: SOURCES[name] for name in ("code", "incidents")}
    for state in ("start", "drift", "repair"):
        ltd.become(state)
        ltd.scan()
    engine = open_writer(ltd.config.database_url())
    with Session(engine) as session:
        before = _tables(session)
        assert {name for name, rows in before.items() if not rows} == {"statement"}
        rebuild(session, Ledger(session), ltd.blobs)
        session.flush()
        assert _tables(session) == before
        session.rollback()
    engine.dispose()


def _tables(session: Session) -> dict[str, list[str]]:
    """Every projection, without the numbers of verdict rows, which are nobody's business."""
    found = {}
    for model in PROJECTIONS:
        columns = [c for c in model.__table__.columns if (model, c.name) != (VerdictRow, "id")]
        found[model.__tablename__] = sorted(
            json.dumps(list(row), sort_keys=True) for row in session.execute(select(*columns))
        )
    return found

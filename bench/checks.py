"""What judging costs: 100 checks over one table, by annexa and by the loop one would write instead.

    python -m bench.checks [--rows 250000] [--checks 100]

Both sides start from the same sealed segment (JSON Lines, zstd) and must end with the same bytes: for every check a
file with one verdict a line, sorted, the population complete and nothing judged twice. annexa's side is `assess` as a
scan calls it: digest, typed load, gate, worker process, contract. The loop decodes with `msgspec.json` (comparable to
orjson) and has no sandbox, no types and no digest. It is measured twice: reading the file for each check, as separate
checks do, and with all rows kept decoded in memory (on four of the checks, scaled).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from annexa.assess.assess import assess
from annexa.assess.checks import Check
from annexa.assess.evidence import SegmentRef, TableEvidence
from annexa.sdk import Json, Strings, Table, Timestamp

AS_OF = datetime(2026, 9, 10, tzinfo=UTC)
SOURCE, SCOPE = "okta", "global"
DECODED = 4
ACCOUNT = Table.of(
    "account",
    {
        "id": str,
        "email": str,
        "department": str,
        "active": bool,
        "mfa": bool,
        "created": Timestamp,
        "last_login": Timestamp,
        "password_changed": Timestamp,
        "failed_logins": int,
        "groups": Strings,
        "profile": Json,
    },
    key="id",
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Pair:
    """The same check twice: SQL for annexa, a function of one row for the loop (None: not in the population)."""

    population: str
    query: str
    judge: Callable[[Row], tuple[str, str] | None]


def account(number: int, dice: random.Random) -> Row:
    def day() -> str:
        return f"2026-{dice.randint(1, 9):02}-{dice.randint(1, 28):02}T08:{dice.randint(0, 59):02}:00.000000Z"

    return {
        "id": f"00u{dice.getrandbits(40):010x}{number:06x}",
        "email": f"user.{number}@example.com",
        "department": dice.choice(["Engineering", "Sales", "Finance", "Support"]),
        "active": dice.random() < 0.95,
        "mfa": dice.choice([True, True, True, False, None]),
        "created": day(),
        "last_login": day(),
        "password_changed": day(),
        "failed_logins": dice.randint(0, 20),
        "groups": [f"team-{dice.randint(1, 40)}" for _ in range(dice.randint(1, 5))],
        "profile": {"title": "Engineer", "locale": "en-GB", "notes": "x" * 420, "badge": dice.getrandbits(32)},
        "_exchange": number // 200,
    }


def seal(folder: Path, rows: int) -> SegmentRef:
    dice, digest, path = random.Random(27001), hashlib.sha256(), folder / "segment.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor(level=1, write_checksum=True).stream_writer(file) as frame:
        for number in range(rows):
            line = json.dumps(account(number, dice), separators=(",", ":")).encode() + b"\n"
            digest.update(line)
            frame.write(line)
    return SegmentRef(SOURCE, SCOPE, path, digest.hexdigest(), rows, AS_OF, "okta/global/users")


def second_factor(n: int) -> Pair:
    department = ["Engineering", "Sales", "Finance", "Support"][n % 4]

    def judge(row: Row) -> tuple[str, str]:
        if row["mfa"] is None:
            return "error", f"{row['email']}: not known"
        if row["department"] != department:
            return "na", f"{row['email']} is not in {department}"
        return ("pass", f"{row['email']} has a second factor") if row["mfa"] else ("fail", f"{row['email']} has none")

    return Pair(
        "select source, scope, id as resource from account",
        f"""select source, scope, id as resource,
                   case when mfa is null then 'error' when department <> '{department}' then 'na'
                        when mfa then 'pass' else 'fail' end as status,
                   case when mfa is null then email || ': not known'
                        when department <> '{department}' then email || ' is not in {department}'
                        when mfa then email || ' has a second factor' else email || ' has none' end as reason
            from account""",
        judge,
    )


def dormant(n: int) -> Pair:
    days = 20 + n
    limit = (AS_OF - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def judge(row: Row) -> tuple[str, str] | None:
        if not row["active"]:
            return None
        if row["last_login"] < limit:
            return "fail", f"{row['email']} has not signed in for {days} days"
        return "pass", f"{row['email']} signed in"

    return Pair(
        "select source, scope, id as resource from account where active",
        f"""select source, scope, id as resource,
                   case when last_login < $as_of - to_days({days}) then 'fail'
                        when last_login is not null then 'pass' else 'error' end as status,
                   case when last_login < $as_of - to_days({days}) then email || ' has not signed in for {days} days'
                        else email || ' signed in' end as reason
            from account where active""",
        judge,
    )


def old_password(n: int) -> Pair:
    days = 60 + n
    limit = (AS_OF - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def judge(row: Row) -> tuple[str, str]:
        return ("pass" if row["password_changed"] >= limit else "fail"), f"changed on {row['password_changed'][:10]}"

    return Pair(
        "select source, scope, id as resource from account",
        f"""select source, scope, id as resource,
                   case when password_changed >= $as_of - to_days({days}) then 'pass' else 'fail' end as status,
                   'changed on ' || strftime(password_changed, '%Y-%m-%d') as reason
            from account""",
        judge,
    )


def in_team(n: int) -> Pair:
    team = f"team-{n % 40 + 1}"

    def judge(row: Row) -> tuple[str, str] | None:
        if team not in row["groups"]:
            return None
        return ("pass" if row["failed_logins"] <= n % 15 else "fail"), f"{row['failed_logins']} failed logins"

    return Pair(
        f"select source, scope, id as resource from account where list_contains(groups, '{team}')",
        f"""select source, scope, id as resource,
                   case when failed_logins <= {n % 15} then 'pass' else 'fail' end as status,
                   failed_logins || ' failed logins' as reason
            from account where list_contains(groups, '{team}')""",
        judge,
    )


KINDS = (second_factor, dormant, old_password, in_team)


def check(n: int, pair: Pair) -> Check:
    document = {
        "id": f"bench-{n}",
        "title": "Benchmark",
        "severity": "low",
        "controls": ["A.5.17"],
        "requires": {"account": "24h"},
        "population": pair.population,
        "query": pair.query,
        "remediation": "None.",
        "tests": [],
    }
    return Check.of(document, "bench", "")


def stream(segment: SegmentRef) -> Iterator[Row]:
    decode = msgspec.json.Decoder().decode
    with segment.path.open("rb") as file:
        yield from map(decode, io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file), 1 << 20))


def loop(rows: Iterable[Row], pair: Pair, path: Path) -> None:
    """One check as a loop: judge, see that nothing is judged twice, sort, write."""
    verdicts = []
    for row in rows:
        verdict = pair.judge(row)
        if verdict is not None:
            status, reason = verdict
            verdicts.append(
                {"resource": row["id"], "status": status, "reason": reason, "source": SOURCE, "scope": SCOPE}
            )
    if len({verdict["resource"] for verdict in verdicts}) != len(verdicts):
        raise SystemExit("a resource is judged twice")
    verdicts.sort(key=lambda verdict: (verdict["source"], verdict["scope"], verdict["resource"]))
    path.write_bytes(msgspec.json.Encoder().encode_lines(verdicts))


def fingerprint(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.unlink()
    return digest


def by_annexa(segment: SegmentRef, pairs: list[Pair], folder: Path) -> tuple[float, float, list[str]]:
    """Seconds for all, seconds until the first verdict (start and load included), and the results' digests."""
    evidence = {"account": TableEvidence(ACCOUNT, (segment,))}
    spent, first, digests, mark = 0.0, 0.0, [], time.perf_counter()
    for outcome in assess([check(n, pair) for n, pair in enumerate(pairs)], evidence, {}, AS_OF, workdir=folder):
        spent += time.perf_counter() - mark
        first = first or spent
        if outcome.results is None or outcome.rows == 1:
            raise SystemExit(f"{outcome.check}: {outcome.reason}")
        digests.append(fingerprint(outcome.results))
        mark = time.perf_counter()
    return spent, first, digests


def by_loop(segment: SegmentRef, pairs: list[Pair], folder: Path) -> tuple[float, list[str]]:
    spent, digests = 0.0, []
    for pair in pairs:
        mark = time.perf_counter()
        loop(stream(segment), pair, folder / "loop.jsonl")
        spent += time.perf_counter() - mark
        digests.append(fingerprint(folder / "loop.jsonl"))
    return spent, digests


def decoded(segment: SegmentRef, pairs: list[Pair], folder: Path) -> float:
    mark = time.perf_counter()
    rows = list(stream(segment))
    load = time.perf_counter() - mark
    mark = time.perf_counter()
    some = pairs[:DECODED]
    for pair in some:
        loop(rows, pair, folder / "loop.jsonl")
    return load + (time.perf_counter() - mark) * len(pairs) / len(some)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=250_000)
    parser.add_argument("--checks", type=int, default=100)
    arguments = parser.parse_args()
    pairs = [KINDS[n % len(KINDS)](n // len(KINDS)) for n in range(arguments.checks)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        segment = seal(folder, arguments.rows)
        ours, first, digests = by_annexa(segment, pairs, folder)
        print(f"{len(pairs)} checks over {arguments.rows:,} rows")
        print(f"  annexa                     {ours:6.1f} s  (start, load and first check {first:.1f} s)")
        plain, expected = by_loop(segment, pairs, folder)
        if digests != expected:
            raise SystemExit("the two sides do not give the same verdicts")
        print(f"  loop, reading each time    {plain:6.1f} s  same bytes of results")
        print(f"  ratio                      {plain / ours:6.1f}    (target: at least 5)")
        kept = decoded(segment, pairs, folder)
        print(f"  loop, rows kept decoded    {kept:6.1f} s  ratio {kept / ours:.1f} ({DECODED} checks, scaled)")


if __name__ == "__main__":
    main()

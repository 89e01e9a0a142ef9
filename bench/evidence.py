"""What evidence costs: sealing blobs against sha256 + zstd alone, a ledger append, a proof over a million leaves.

    python -m bench.evidence [--megabytes 500] [--rounds 5] [--folder DIR]

Blob rounds are paired (bare, sealed, in turn first) over the same bytes; the ratio is what is compared, since the
machine's speed cancels out. A sealed round includes both fsyncs, so `--folder` decides much: name one on the real disk.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median

import zstandard
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from annexa.database.models import Base
from annexa.evidence import merkle
from annexa.evidence.blobs import BlobStore
from annexa.evidence.ledger import Kind, Ledger

MEGABYTE = 1_000_000
APPENDS = 5_000
LEAVES = 1_000_000


def pages(total: int) -> list[bytes]:
    """JSON pages of 200 accounts as a vendor's API lists them, about 100 kB each."""
    dice, made, size = random.Random(27001), [], 0
    while size < total:
        page = json.dumps([account(dice) for _ in range(200)]).encode()
        made.append(page)
        size += len(page)
    return made


def account(dice: random.Random) -> dict[str, object]:
    number = dice.getrandbits(40)
    return {
        "id": f"00u{number:x}",
        "status": dice.choice(["ACTIVE", "ACTIVE", "ACTIVE", "DEPROVISIONED", "SUSPENDED"]),
        "created": f"2025-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}T08:{dice.randint(0, 59):02}:00.000Z",
        "lastLogin": f"2026-{dice.randint(1, 9):02}-{dice.randint(1, 28):02}T09:{dice.randint(0, 59):02}:13.000Z",
        "profile": {
            "login": f"user.{number}@example.com",
            "email": f"user.{number}@example.com",
            "department": dice.choice(["Engineering", "Sales", "Finance", "Support"]),
            "managerId": f"00u{dice.getrandbits(40):x}",
        },
        "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
        "_links": {"self": {"href": f"https://example.okta.com/api/v1/users/00u{number:x}"}},
    }


def bare(chunks: list[bytes]) -> None:
    """What cannot be saved: the hash and the compression, into nowhere."""
    digest, compressor = sha256(), zstandard.ZstdCompressor(level=1, write_checksum=True).compressobj()
    for chunk in chunks:
        digest.update(chunk)
        compressor.compress(chunk)
    compressor.flush()
    digest.hexdigest()


def seal(store: BlobStore, chunks: list[bytes]) -> Path:
    with store.writer() as writer:
        for chunk in chunks:
            writer.write(chunk)
        return store.path(writer.seal().digest)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def spread(values: list[float], form: str) -> str:
    return " / ".join(format(value, form) for value in (min(values), median(values), max(values)))


def bench_blobs(folder: Path, megabytes: int, rounds: int) -> None:
    base = pages(32 * MEGABYTE)
    chunks = (base * (megabytes // 32 + 1))[: megabytes * MEGABYTE * len(base) // sum(map(len, base))]
    size, store = sum(map(len, chunks)) / MEGABYTE, BlobStore(folder)
    alone, sealed, again = [], [], []
    for number in range(rounds):
        chunks[0] = base[0] + str(number).encode()
        files: list[Path] = []
        work = [(alone, lambda: bare(chunks)), (sealed, lambda found=files: found.append(seal(store, chunks)))]
        for times, step in work if number % 2 else reversed(work):
            times.append(timed(step))
        if number == 0:
            again.append(timed(lambda: seal(store, chunks)))
        files[0].unlink()
    ratios = [100 * one / other for one, other in zip(alone, sealed, strict=True)]
    print(f"blobs: {size:.0f} MB in {len(chunks)} writes, {rounds} paired rounds; min / median / max")
    print(f"  sha256 + zstd alone  {spread([size / value for value in alone], '.0f')} MB/s")
    print(f"  sealed and synced    {spread([size / value for value in sealed], '.0f')} MB/s")
    print(f"  ratio                {spread(ratios, '.0f')} %  (target: median >= 60 %)")
    print(f"  same bytes again     {size / again[0]:.0f} MB/s (the stored blob is read and compared)")


def bench_small(folder: Path, count: int = 500) -> None:
    store = BlobStore(folder)
    items = [json.dumps({"n": number}).encode() * 20 for number in range(count)]
    cpu, wall = time.process_time(), timed(lambda: [store.put(item) for item in items])
    cpu = time.process_time() - cpu
    print(f"small blobs: {cpu / count * 1e6:.0f} us CPU, {wall / count * 1e3:.2f} ms wall each (two fsyncs)")


def bench_appends(folder: Path) -> None:
    engine = create_engine(f"sqlite:///{folder / 'bench.db'}")
    Base.metadata.create_all(engine)
    body = {
        "collector": "aws",
        "source": "aws",
        "fetch": "iam",
        "scope": "123456789012/eu-west-1",
        "reason": "",
        "state": "complete",
        "pages": 12,
        "exchanges": "a" * 64,
        "bodies": None,
        "declared_total": None,
        "tables": [{"table": f"aws_iam_{name}", "blob": "b" * 64, "rows": 1200} for name in ("user", "role", "policy")],
    }
    with Session(engine) as session:
        ledger, cpu = Ledger(session), time.process_time()
        for number in range(APPENDS):
            ledger.append(Kind.COLLECTION, body, time=datetime.now(UTC), run="r1")
            if number % 100 == 99:
                session.commit()
        each = (time.process_time() - cpu) / APPENDS
    engine.dispose()
    print(f"ledger: {each * 1e6:.0f} us CPU an append, commits every 100 included (target: <= 500 us)")


def bench_proofs() -> None:
    """A million leaves in flat arrays, one per level; what is counted is reads, as a database would answer them."""
    levels: list[bytearray] = [bytearray() for _ in range(LEAVES.bit_length())]
    tree, started = merkle.Frontier(), time.perf_counter()
    for number in range(LEAVES):
        completed = tree.completed_by(merkle.leaf_hash(number.to_bytes(8)))
        tree.grow(completed)
        for level, _, value in completed:
            levels[level] += value
    elapsed, reads, most = time.perf_counter() - started, [0], 0

    def read(level: int, position: int) -> bytes:
        reads[0] += 1
        return bytes(levels[level][32 * position : 32 * position + 32])

    dice, times = random.Random(6962), []
    for index in [0, LEAVES - 1, *(dice.randrange(LEAVES) for _ in range(1000))]:
        reads[0], began = 0, time.perf_counter()
        proof = merkle.inclusion_proof(index, LEAVES, read)
        times.append(time.perf_counter() - began)
        most = max(most, reads[0])
        merkle.verify_inclusion(read(0, index), index, LEAVES, proof, tree.root())
    print(f"tree: {LEAVES:,} leaves at {LEAVES / elapsed:,.0f} leaves/s")
    print(f"  inclusion proof      at most {most} node reads, {median(times) * 1e6:.0f} us; all verified")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        bench_blobs(folder / "evidence", arguments.megabytes, arguments.rounds)
        bench_small(folder / "evidence")
        bench_appends(folder)
    bench_proofs()


if __name__ == "__main__":
    main()

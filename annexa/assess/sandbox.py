"""The sandbox: a worker process, and a parent that watches its clock and its memory and kills it.

Rules:
- One request at a time. While it runs, the parent looks at the wall clock and at the worker's resident memory; beyond
  either limit the worker is killed, and `Stopped` says why. What DuckDB promises about time and memory is not relied
  on: `interrupt()`, `memory_limit` and RLIMIT_AS did not hold in trials.
- The next request gets a new worker, which has no tables: `generation` tells.
- The worker is spawned, never forked, with an environment that holds no secrets, in a session of its own.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from annexa.assess import memory
from annexa.assess.protocol import Refused, Reply, Request
from annexa.errors import CheckError

_ROOT = Path(__file__).resolve().parents[2]
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH")
_GRACE = 0.5


class Stopped(CheckError):
    """The worker was killed, or died. The request that ran has no result; the next one gets a new worker."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a check may use.

    Args:
        seconds: Wall clock of one check (or one entity).
        memory: Bytes of memory beyond what the tables take.
        load_seconds: Wall clock of loading all tables; it is trusted, so only a bound against hanging.
        threads: Threads that DuckDB may use; by default one for each processor, at most four.
    """

    seconds: float = 60.0
    memory: int = 2 * 2**30
    load_seconds: float = 3600.0
    threads: int = field(default_factory=lambda: min(4, os.cpu_count() or 1))


class Sandbox:
    """A worker process, started when it is first needed. Use it as a context manager: it ends with the block.

    Args:
        limits: What one request may use.
        folder: A private folder; the worker runs there.

    Attributes:
        generation: Goes up with each new worker, which then has nothing loaded.
    """

    def __init__(self, limits: Limits, folder: Path) -> None:
        self.limits = limits
        self.generation = 0
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._base: int | None = None
        self._pending = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> int:
        """See that there is a worker; gives its generation."""
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            self._process = self._spawn()
            self._base, self._pending = None, b""
            self.generation += 1
        return self.generation

    def ask(self, request: Request, *, seconds: float, settle: bool = False) -> Reply:
        """Send a request and wait for its reply.

        Args:
            request: What to do.
            seconds: Wall clock that it may take.
            settle: What is in memory afterwards is there to stay: the limit counts from it on. Such a request may take
                as much again as is there, for an entity repeats the rows that feed it; the first one (loading is
                trusted) is not watched.

        Raises:
            Stopped: The worker was killed for its time or memory, or ended by itself.
            CheckError: The worker refused; its reason is the text.
        """
        import msgspec

        self.start()
        self._send(msgspec.json.encode(request) + b"\n")
        line = self._receive(seconds, self.limits.memory + (self._base or 0 if settle else 0))
        if settle:
            self._base = memory.resident(self._running().pid)
        reply: Reply = msgspec.json.decode(line, type=Reply)
        if isinstance(reply, Refused):
            if reply.fatal:
                self.close()
            raise CheckError(reply.reason)
        return reply

    def close(self) -> None:
        """End the worker, at once."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                _close(pipe)

    def _spawn(self) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        with (self._folder / "worker.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "annexa.assess.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._folder,
                env={**environment, "PYTHONPATH": str(_ROOT), "TZ": "UTC"},
                start_new_session=True,
                bufsize=0,
            )

    def _send(self, line: bytes) -> None:
        process = self._running()
        try:
            view = memoryview(line)
            while view:
                view = view[process.stdin.write(view) :]
        except BrokenPipeError:
            raise self._ended() from None

    def _receive(self, seconds: float, allowed: int) -> bytes:
        """The next line of the worker, looking at clock and memory until it comes."""
        process = self._running()
        deadline = time.monotonic() + seconds + _GRACE
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._pending:
                if selector.select(memory.INTERVAL):
                    self._read(process)
                if b"\n" not in self._pending:
                    self._check_memory(process.pid, allowed)
                    self._check_clock(deadline, seconds)
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _read(self, process: Any) -> None:
        data = process.stdout.read(65536)
        if not data:
            raise self._ended()
        self._pending += data

    def _check_memory(self, pid: int, allowed: int) -> None:
        if self._base is None:
            return
        more = memory.resident(pid) - self._base
        if more > allowed:
            self.close()
            raise Stopped(f"stopped at {more / 2**30:.1f} GiB of memory; {allowed / 2**30:.1f} GiB are allowed")

    def _check_clock(self, deadline: float, seconds: float) -> None:
        if time.monotonic() > deadline:
            self.close()
            raise Stopped(f"stopped after {seconds:g} s")

    def _running(self) -> Any:
        assert self._process is not None
        return self._process

    def _ended(self) -> Stopped:
        """The worker ended without being asked to: a crash, or the system took it for its memory."""
        code = self._running().wait()
        self.close()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return Stopped(f"the worker ended, {how}")


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return

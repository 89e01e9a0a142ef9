"""A deadline that holds: one exchange ends at its time, whatever it is waiting for.

A timeout of `requests` or `socket` is the longest silence, not the longest exchange: a server that sends one byte a
second, in its headers or in its body, is never cut off by it. A watch shuts the connection's socket down at the
deadline; whoever reads from it then wakes up.

This module imports `requests`; only `wire` imports it, when the first request is made.
"""

from __future__ import annotations

import socket
from threading import Lock, Timer, local
from types import TracebackType
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Watch:
    """Watches the exchange that this thread makes inside the `with` block.

    Args:
        seconds: From now to the deadline.

    Attributes:
        expired: The deadline has passed, and what was read, if anything, is not to be trusted.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._over = False
        self._socket: socket.socket | None = None
        self._guard = Lock()
        self._timer = Timer(max(seconds, 0.001), self._end)
        self._timer.daemon = True

    def __enter__(self) -> Watch:
        _THIS_THREAD.watch = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _THIS_THREAD.watch = None
        with self._guard:
            self._over = True
            self._socket = None

    def sees(self, connected: socket.socket) -> None:
        """This connection is the one to end."""
        with self._guard:
            self._socket = connected
            if self.expired:
                _shut(connected)

    def _end(self) -> None:
        with self._guard:
            if self._over:
                return
            self.expired = True
            if self._socket is not None:
                _shut(self._socket)


_THIS_THREAD = local()


def _shut(connected: socket.socket) -> None:
    """Shut the connection down below TLS, whose own shutdown is not made for another thread's use."""
    try:
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
    except OSError:
        return


def _show(connected: socket.socket | None) -> None:
    watch: Watch | None = getattr(_THIS_THREAD, "watch", None)
    if watch is not None and connected is not None:
        watch.sees(connected)


class _Connection(HTTPConnection):
    def getresponse(self) -> Any:
        _show(self.sock)
        return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self) -> Any:
        _show(self.sock)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class WatchedAdapter(HTTPAdapter):
    """`requests`' adapter, with connections that show themselves to the watch."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools; `requests` calls this."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """Make the pools behind a proxy; `requests` calls this."""
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

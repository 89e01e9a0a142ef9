"""HTTP over the network: what really happens inside a tape's `send`.

Rules (each is tested against a real server):
- An exchange has a deadline from its first byte to its last, and a body a largest size after decoding.
- A body that ends before its end is an error, never a shorter body: by `Content-Length`, by chunks, by gzip's trailer.
- A redirect is followed within the origin, five times at most. Credentials never go to another origin: `requests`
  would strip `Authorization` there, and send `X-Api-Key` on.
- Neither cookies nor .netrc; proxies and certificate authorities from the environment, as `requests` reads them.
- Errors name what failed in words of ours: the libraries' own may quote addresses and headers.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from annexa.collect.addresses import follow, origin
from annexa.collect.auth import Authorizer, Learn, authorizer
from annexa.collect.content_coding import ACCEPTED, CutShort, decoded
from annexa.collect.exchange import Request, Response
from annexa.collect.limiter import Limiter
from annexa.collect.rate_limits import pause_announced, refused_for_rate, wait_asked
from annexa.collect.retry import Interrupted, Patience
from annexa.errors import CollectError
from annexa.sdk.transports import Auth

if TYPE_CHECKING:
    import requests

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one exchange.

    Args:
        deadline: Seconds from the first byte sent to the last received, redirects included.
        connect: Seconds to connect.
        silence: Seconds in which nothing at all arrives.
        body: Bytes of a body after decoding.
    """

    deadline: float = 120.0
    connect: float = 10.0
    silence: float = 60.0
    body: int = 128 * 1024 * 1024


def _forget(secret: str) -> None:
    return None


@dataclass(slots=True)
class Wire:
    """What the shards of one source share: connections, tokens, the rate limit. Any number of threads.

    Args:
        learn: Is told every secret before it is used: `Redactor.learn`.
        limits: The bounds of one exchange.
        patience: How long to go on asking.
        limiter: The source's rate limit.
    """

    learn: Learn = _forget
    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)
    limiter: Limiter = field(default_factory=Limiter)
    _session: requests.Session | None = None
    _authorizers: dict[Auth | None, Authorizer] = field(default_factory=dict)
    _guard: Lock = field(default_factory=Lock)

    def send(self, request: Request, auth: Auth | None = None) -> Response:
        """The answer that counts, whatever its status.

        Raises:
            CollectError: there was no complete answer.
            SecretError: the credential cannot be resolved.
        """
        credential = self._authorizer(auth)
        used = credential.headers()
        answer = self._asked(request, used)
        if answer.status == 401 and credential.renew(used):
            answer = self._asked(request, credential.headers())
        return answer

    def close(self) -> None:
        """Close the connections."""
        with self._guard:
            if self._session is not None:
                self._session.close()
                self._session = None

    def _authorizer(self, auth: Auth | None) -> Authorizer:
        with self._guard:
            if auth not in self._authorizers:
                self._authorizers[auth] = authorizer(
                    auth, self.learn, lambda request: self._asked(request, {}), self.patience.monotonic
                )
            return self._authorizers[auth]

    def _asked(self, request: Request, credential: Mapping[str, str]) -> Response:
        def attempt(left: float) -> Response:
            self.limiter.wait(left)
            answer = self._exchange(request, credential, min(left, self.limits.deadline))
            now = self.patience.now()
            pause = wait_asked(answer, now) if refused_for_rate(answer) else pause_announced(answer, now)
            if pause is not None:
                self.limiter.pause(pause)
            return answer

        return self.patience.asks(attempt)

    def _exchange(self, request: Request, credential: Mapping[str, str], seconds: float) -> Response:
        from annexa.collect.watch import Watch

        with Watch(seconds) as watch:
            try:
                answer = self._followed(request, credential)
            except CutShort as failure:
                raise _lost(request, None, True, seconds) if watch.expired else Interrupted(failure) from failure
            except _network_errors() as failure:
                raise _lost(request, failure, watch.expired, seconds) from failure
            if watch.expired:
                raise _lost(request, None, True, seconds)
        return answer

    def _followed(self, request: Request, credential: Mapping[str, str]) -> Response:
        url = request.url
        origin(url)
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._once(request, url, credential)
            target = answer.header("location") if answer.status in _REDIRECTS else ""
            if not target:
                return answer
            url = follow(url, target)
        raise CollectError(f"{origin(url)} redirects more than {_MOST_REDIRECTS} times")

    def _once(self, request: Request, url: str, credential: Mapping[str, str]) -> Response:
        import requests

        session = self._connections()
        headers = {"Accept-Encoding": ACCEPTED, **dict(request.headers), **credential}
        prepared = requests.Request(request.method, url, headers, data=request.body or None).prepare()
        settings: Any = session.merge_environment_settings(url, {}, True, None, None)
        timeout = (self.limits.connect, self.limits.silence)
        with session.get_adapter(url).send(prepared, timeout=timeout, **settings) as answer:
            pairs = tuple((str(name), str(text)) for name, text in answer.raw.headers.items())
            body = b""
            if answer.status_code not in _REDIRECTS:
                coding = answer.headers.get("Content-Encoding", "")
                body = decoded(_chunks(answer), coding, self.limits.body)
        return Response(answer.status_code, pairs, body)

    def _connections(self) -> requests.Session:
        with self._guard:
            if self._session is None:
                import requests

                from annexa.collect.watch import WatchedAdapter

                self._session = requests.Session()
                self._session.mount("https://", WatchedAdapter())
                self._session.mount("http://", WatchedAdapter())
            return self._session


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    from urllib3.exceptions import ProtocolError

    try:
        yield from answer.raw.stream(_CHUNK, decode_content=False)
    except ProtocolError as failure:
        raise CutShort("the answer was cut short: the connection ended before the body did") from failure


def _network_errors() -> tuple[type[Exception], ...]:
    from http.client import HTTPException

    from requests import RequestException
    from urllib3.exceptions import HTTPError

    return RequestException, HTTPError, HTTPException, OSError


def _lost(request: Request, failure: Exception | None, expired: bool, seconds: float) -> Exception:
    """The error for an exchange without an answer: to be tried again, unless that would be the same again."""
    from requests import exceptions

    home = origin(request.url)
    if expired:
        return Interrupted(CollectError(f"{home} gave no complete answer within {seconds:.0f} s"))
    causes = list(_causes(failure))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CollectError(
                f"{home} cannot prove who it is: {cause.verify_message}",
                remedy="Check the address. For an authority of your own, set REQUESTS_CA_BUNDLE to its certificate.",
            )
    if isinstance(failure, exceptions.InvalidHeader | exceptions.InvalidURL | exceptions.InvalidSchema):
        return CollectError(f"the request to {home} cannot be made: {type(failure).__name__}")
    return Interrupted(CollectError(f"{home} cannot be reached: {_why(causes)}", remedy="Check address and network."))


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    """An error and everything that it was raised from; urllib3 keeps some causes in `reason` and `args`."""
    waiting, seen = [failure], set[int]()
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]


def _why(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return "no such host"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({cause.reason})"
        if isinstance(cause, TimeoutError):
            return "no answer in time"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    return "the connection broke" if causes else "no answer"

"""What a collector's `connect` is given: it opens transports over one shard's tape.

Opening asks nobody anything: a replay opens the same transports, over a tape that answers, without a credential.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from annexa.collect.connections import Connections
from annexa.collect.exchange import Tape
from annexa.collect.parts import Flaw
from annexa.collect.shards import Shard
from annexa.sdk import Aws, Files, Http, Scope, Secret, Table
from annexa.sdk.transports import Auth, Paging

if TYPE_CHECKING:
    from annexa.collect.aws import AwsTransport
    from annexa.collect.files import FilesTransport
    from annexa.collect.http import HttpTransport


class RecordedTransports:
    """`annexa.sdk.Transports` for one shard.

    Args:
        shard: What is being collected.
        tape: Where its exchanges are recorded, or come from.
        connections: What it shares with the others of its run.
        as_of: The run's time.
        base: The configuration's folder, where relative paths of files start.
        recording: Whether the tape may really ask; then the secrets of AWS are told to the redactor first.
    """

    def __init__(
        self, shard: Shard, tape: Tape, connections: Connections, *, as_of: datetime, base: Path, recording: bool = True
    ) -> None:
        self.as_of = as_of
        self._shard, self._tape, self._connections = shard, tape, connections
        self._base, self._recording = base, recording
        self._opened: list[AwsTransport | FilesTransport | HttpTransport] = []

    @property
    def scope(self) -> Scope:
        """The scope that is being fetched."""
        return self._shard.scope

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that are being filled: a fetch whose tables depend on the configuration asks here."""
        return self._shard.tables

    @property
    def flaws(self) -> list[Flaw]:
        """The parts that were lost."""
        return [flaw for transport in self._opened for flaw in transport.flaws]

    @property
    def declared_total(self) -> int | None:
        """The totals that the vendor declared, added up; None when it declared none."""
        totals = [getattr(transport, "declared_total", None) for transport in self._opened]
        declared = [total for total in totals if total is not None]
        return sum(declared) if declared else None

    @property
    def as_of_data(self) -> datetime | None:
        """The age of the oldest file that was read; None when none was."""
        times = [getattr(transport, "as_of_data", None) for transport in self._opened]
        return min((time for time in times if time is not None), default=None)

    def http(
        self,
        base_url: str,
        *,
        auth: Auth | None = None,
        paging: Paging | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Http:
        """HTTP below one origin."""
        from annexa.collect.http import HttpTransport

        transport = HttpTransport(
            base_url,
            self._tape,
            wire=self._connections.wire(self._shard.source),
            as_of=self.as_of,
            scope=self.scope,
            auth=auth,
            paging=paging,
            headers=headers,
        )
        self._opened.append(transport)
        return transport

    def aws(
        self,
        *,
        region: str,
        profile: str = "",
        access_key_id: Secret | None = None,
        secret_access_key: Secret | None = None,
        session_token: Secret | None = None,
        role_arn: str = "",
        external_id: Secret | None = None,
        endpoint_url: str = "",
    ) -> Aws:
        """AWS with the usual credential chain, or the given keys, then the role if one is named."""
        from annexa.collect.aws import AwsTransport
        from annexa.collect.aws_sessions import AwsAccess

        if self._recording:
            for secret in filter(None, (secret_access_key, session_token, external_id)):
                self._connections.redactor.learn(secret.reveal())
        access = AwsAccess(
            profile, access_key_id, secret_access_key, session_token, role_arn, external_id, endpoint_url
        )
        transport = AwsTransport(
            self._tape, self._connections.aws(), access, region=region, scope=self.scope, as_of=self.as_of
        )
        self._opened.append(transport)
        return transport

    def files(self) -> Files:
        """Files on this host."""
        from annexa.collect.files import FilesTransport

        transport = FilesTransport(self._tape, scope=self.scope, as_of=self.as_of, base=self._base)
        self._opened.append(transport)
        return transport

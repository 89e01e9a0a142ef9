"""AWS clients: who asks, and how hard it is tried.

Two kinds of client for each service and region:

- The *player* has no credential and signs nothing. It serialises questions and parses answers; its HTTP is the tape.
- The *wire* signs and sends, with botocore's adaptive retries. It is made only when something is really to be sent, so
  a replay needs neither credential nor network.

Both take their endpoint from the source's configuration alone (not from AWS_ENDPOINT_URL or a profile), so that what is
recorded is what was asked. Clients are shared by threads; making one is not thread-safe in botocore, so a lock is held.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from annexa.collect import aws_exchanges
from annexa.secrets import Secret

SESSION_NAME = "annexa"
_CONNECTIONS = 32
_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_NO_FILES: dict[str, Any] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """Who asks: botocore's own chain (or the profile, or the keys), then the role if one is named."""

    profile: str = ""
    access_key_id: Secret | None = None
    secret_access_key: Secret | None = None
    session_token: Secret | None = None
    role_arn: str = ""
    external_id: Secret | None = None
    endpoint_url: str = ""


@dataclass(slots=True)
class AwsClients:
    """The clients of a run, each made once.

    Args:
        attempts: How often one request is tried.
    """

    attempts: int = 6
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _made: dict[tuple[object, ...], Any] = field(default_factory=dict)

    def player(self, service: str, region: str, endpoint_url: str = "") -> Any:
        """The client that asks the tape."""
        return self._once(("player", service, region, endpoint_url), self._new_player)

    def wire(self, access: AwsAccess, service: str, region: str) -> Any:
        """The client that asks AWS.

        Raises:
            SecretError: a key of the configuration cannot be resolved.
            botocore.exceptions.BotoCoreError: the profile is not there, or the service is unknown.
        """
        return self._once((access, service, region), self._new_wire)

    def lacks(self, access: AwsAccess, service: str, region: str) -> bool:
        """Whether botocore knows the region, and knows that it does not have this (regional) service."""
        from botocore.exceptions import UnknownRegionError

        if access.endpoint_url:
            return False
        session = self._once(("player session",), self._player_session)
        try:
            partition = session.get_partition_for_region(region)
        except UnknownRegionError:
            return False
        having = session.get_available_regions(service, partition_name=partition)
        return bool(having) and region not in having and region in session.get_available_regions("ec2", partition)

    def _once(self, key: tuple[object, ...], make: Any) -> Any:
        with self._lock:
            if key not in self._made:
                self._made[key] = make(*key)
            return self._made[key]

    def _new_player(self, _: object, service: str, region: str, endpoint_url: str) -> Any:
        from botocore import UNSIGNED

        session = self._once(("player session",), self._player_session)
        config = _config(endpoint_url, signature_version=UNSIGNED, retries={"total_max_attempts": 1})
        client = session.create_client(service, region_name=region, endpoint_url=endpoint_url or None, config=config)
        aws_exchanges.play(client)
        return _without_account_host(client, endpoint_url)

    def _new_wire(self, access: AwsAccess, service: str, region: str) -> Any:
        session = self._once(("session", access), self._session)
        retries = {"total_max_attempts": self.attempts, "mode": "adaptive"}
        config = _config(access.endpoint_url, retries=retries)
        client = session.create_client(
            service, region_name=region, endpoint_url=access.endpoint_url or None, config=config
        )
        aws_exchanges.listen(client)
        return _without_account_host(client, access.endpoint_url)

    def _player_session(self, _: object) -> Any:
        session = self._bare_session(session_vars=_NO_FILES)
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=aws_exchanges.instant)
        return session

    def _session(self, _: object, access: AwsAccess) -> Any:
        session = self._bare_session(profile=access.profile or None)
        if access.access_key_id and access.secret_access_key:
            token = access.session_token.reveal() if access.session_token else None
            session.set_credentials(access.access_key_id.reveal(), access.secret_access_key.reveal(), token)
        return self._assumed(session, access) if access.role_arn else session

    def _bare_session(self, **arguments: Any) -> Any:
        """A session with the loader that all share: reading the service models is what takes time."""
        from botocore.loaders import create_loader
        from botocore.session import Session

        session = Session(**arguments)
        session.register_component("data_loader", self._once(("loader",), lambda _: create_loader()))
        session.user_agent_name, session.user_agent_version = "annexa", "1"
        return session

    def _assumed(self, source: Any, access: AwsAccess) -> Any:
        """A session in the role; its credential is renewed before it expires. STS is asked off the tape."""
        from botocore.credentials import AssumeRoleCredentialFetcher, CredentialResolver, DeferredRefreshableCredentials

        extra = {"RoleSessionName": SESSION_NAME}
        if access.external_id:
            extra["ExternalId"] = access.external_id.reveal()
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=partial(
                source.create_client,
                region_name=_region(access.role_arn),
                endpoint_url=access.endpoint_url or None,
                config=_config(access.endpoint_url),
            ),
            source_credentials=_required(source.get_credentials()),
            role_arn=access.role_arn,
            extra_args=extra,
        )
        credential = DeferredRefreshableCredentials(fetcher.fetch_credentials, method="assume-role")
        session = self._bare_session(session_vars=_NO_FILES)
        session.register_component("credential_provider", CredentialResolver([_Given(credential)]))
        return session


class _Given:
    """A credential provider, as botocore's resolver asks for one, that has its credential already."""

    METHOD = CANONICAL_NAME = "custom-annexa"

    def __init__(self, credential: Any) -> None:
        self._credential = credential

    def load(self) -> Any:
        return self._credential


def _required(credential: Any) -> Any:
    if credential is None:
        from botocore.exceptions import NoCredentialsError

        raise NoCredentialsError
    return credential


def _region(role_arn: str) -> str:
    """A region of the role's partition whose STS is always on (IAM User Guide, AWS STS Regions)."""
    partition = role_arn.split(":")[1] if role_arn.count(":") > 1 else ""
    return {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}.get(partition, "us-east-1")


def _config(endpoint_url: str, **options: Any) -> Any:
    from botocore.config import Config

    return Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        max_pool_connections=_CONNECTIONS,
        ignore_configured_endpoint_urls=True,
        use_fips_endpoint=False,
        use_dualstack_endpoint=False,
        inject_host_prefix=not endpoint_url,
        s3={"addressing_style": "path" if endpoint_url else "auto", "us_east_1_regional_endpoint": "regional"},
        **options,
    )


def _without_account_host(client: Any, endpoint_url: str) -> Any:
    """S3 Control puts the account before the host's name, which a stand-in for AWS on one address cannot answer."""
    if endpoint_url and client.meta.service_model.service_name == "s3control":
        client.meta.events.register_first("before-sign.s3-control", _at_endpoint)
    return client


def _at_endpoint(request: Any, **_: Any) -> None:
    account = request.headers.get("x-amz-account-id", "")
    account = account.decode() if isinstance(account, bytes) else account
    request.url = request.url.replace(f"//{account}.", "//", 1)

"""What AWS and botocore say went wrong, in annexa's words.

Rules:
- A refusal is `Denied` and names the IAM action to grant: that of AWS's message, else the one the operation needs.
- A credential that AWS does not accept is `Denied` too, never `Unavailable`: nothing was seen, so nothing is known.
- `Unavailable` only where AWS says that the account has no such service, or where botocore's own list of endpoints
  says that the service is not in this region and nothing answers there.
- Everything else is a plain `CollectError`. Messages carry no signature, key or token.
"""

from __future__ import annotations

import re
from typing import Any

from annexa.errors import CollectError, Denied, NotFound, Unavailable, Unreadable

_REFUSED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedAccess",
    "UnauthorizedOperation",
    "NotAuthorized",
    "AllAccessDisabled",
    "403",
    "Forbidden",
}
_BAD_CREDENTIAL = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "MissingAuthenticationToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
}
_NO_SUBSCRIPTION = {"OptInRequired", "SubscriptionRequiredException", "NotSignedUp"}
_SKEWED = {"RequestExpired", "RequestTimeTooSkewed"}
_MISSING = re.compile(r"^(404|NoSuch\w+|[\w.]*NotFound(Exception|Fault|Error)?)$")
_NEEDS = re.compile(r"not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z]+)")

_ACTIONS = {
    "s3.ListBuckets": "s3:ListAllMyBuckets",
    "s3.ListObjectsV2": "s3:ListBucket",
    "s3.HeadBucket": "s3:ListBucket",
    "s3.GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3.GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3.GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3.GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3.GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3control.GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
}
"""Where the IAM action is not called like the operation (Service Authorization Reference, Amazon S3)."""

_CREDENTIAL_REMEDY = "Check the source's credential: profile, keys, role, and whether the session has expired."


def action(service: str, operation: str, prefix: str = "") -> str:
    """The IAM action that an operation needs: `action("iam", "ListUsers")` is `iam:ListUsers`."""
    return _ACTIONS.get(f"{service}.{operation}", f"{prefix or service}:{operation}")


def bad_credential(code: str) -> bool:
    """Whether AWS did not accept the credential. Such an answer may quote the session token: it is never kept."""
    return code in _BAD_CREDENTIAL


def answered(error: Any, service: str, prefix: str = "") -> CollectError:
    """The error for an answer that says no (`botocore.exceptions.ClientError`)."""
    said = error.response.get("Error", {})
    code, text = str(said.get("Code", "")), str(said.get("Message", ""))
    operation = error.operation_name
    message = f"{service}.{operation}: {code}: {text}"
    if bad_credential(code):
        remedy = f"{_CREDENTIAL_REMEDY} A region that is not enabled answers like this as well."
        return Denied(f"{service}.{operation}: {code}", remedy=remedy)
    if code in _REFUSED:
        needs = _NEEDS.search(text)
        return Denied(message, permission=needs.group(1) if needs else action(service, operation, prefix))
    if code in _NO_SUBSCRIPTION:
        return Unavailable(message, remedy="Nothing to do: the account does not have this service.")
    if code in _SKEWED:
        return CollectError(message, remedy="Set this host's clock: AWS accepts a difference of five minutes.")
    if _MISSING.match(code):
        return NotFound(message, code=code)
    return CollectError(message)


def unsigned(error: Exception) -> CollectError:
    """The error for a credential that could not be had: none found, expired, or the role refused."""
    from botocore.exceptions import ClientError

    message = f"no AWS credential: {error}"
    if isinstance(error, ClientError):
        permission = f"sts:{error.operation_name}" if error.operation_name.startswith("AssumeRole") else ""
        return Denied(message, permission=permission, remedy=None if permission else _CREDENTIAL_REMEDY)
    return Denied(message, remedy=_CREDENTIAL_REMEDY)


def unanswered(error: Exception, service: str, region: str, absent: bool) -> CollectError:
    """The error for a request that got no usable answer (`botocore.exceptions.BotoCoreError`).

    Args:
        absent: botocore's endpoint data says that the region does not have the service.
    """
    from botocore import exceptions as aws

    message = f"{service} in {region}: {error}"
    if isinstance(error, aws.EndpointConnectionError) and absent:
        return Unavailable(f"{service} does not exist in {region}", remedy="Nothing to do.")
    if isinstance(error, aws.ParamValidationError | aws.DataNotFoundError | aws.UnknownServiceError):
        return CollectError(message, remedy="This is an error in the collector; report it.")
    if isinstance(error, _no_credential()):
        return unsigned(error)
    if isinstance(error, aws.PaginationError):
        return CollectError(f"{message}; the list cannot be read to its end")
    if isinstance(error, aws.FlexibleChecksumError | aws.IncompleteReadError | aws.ResponseStreamingError):
        return Unreadable(f"{message}; the answer was cut short or damaged")
    if isinstance(error, aws.HTTPClientError | aws.ConnectionError):
        return CollectError(message, remedy="Check the network, the proxy and the endpoint, and run again.")
    return CollectError(message)


def _no_credential() -> tuple[type[Exception], ...]:
    from botocore import exceptions as aws

    return (
        aws.NoCredentialsError,
        aws.PartialCredentialsError,
        aws.CredentialRetrievalError,
        aws.ConfigNotFound,
        aws.ConfigParseError,
        aws.ProfileNotFound,
        aws.InvalidConfigError,
        aws.SSOError,
        aws.TokenRetrievalError,
        aws.MetadataRetrievalError,
        aws.RefreshWithMFAUnsupportedError,
        aws.InfiniteLoopConfigError,
        aws.NoAuthTokenError,
    )

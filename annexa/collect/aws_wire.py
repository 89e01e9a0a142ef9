"""Really asking AWS: what happens inside the tape's `send`.

Rules:
- Retries are botocore's adaptive ones, within one deadline; a body that is cut short or does not match its checksum is
  asked for again. The tape sees the answer that counted.
- An answer that does not accept the credential is raised, not returned: it may quote the session token.
- An answer that cannot be understood is returned: it is recorded, and then the player does not understand it either.
- "Still being made" (a credential report) is waited for here: a fetch has no clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from annexa.collect import aws_errors
from annexa.collect.aws_exchanges import HEARING, Hearing
from annexa.collect.aws_sessions import AwsAccess, AwsClients
from annexa.collect.exchange import Request, Response, Send
from annexa.errors import CollectError, Unreadable

DEADLINE_SECONDS = 300.0
POLL_SECONDS = 2.0
_POLLS = 90
_NOT_YET = {"ReportInProgress"}
_BODIES = 3


@dataclass(frozen=True, slots=True)
class AwsWire:
    """Asks one service in one region with one credential."""

    clients: AwsClients
    access: AwsAccess
    service: str
    region: str
    pause: Callable[[float], None] = time.sleep

    def sender(self, parameters: dict[str, Any]) -> Send:
        """The function for the tape: asks the operation that the request names, with these parameters."""

        def send(request: Request) -> Response:
            operation = request.operation.partition(".")[2]
            for _ in range(_POLLS):
                response, code = self._ask(operation, parameters)
                if code not in _NOT_YET:
                    return response
                self.pause(POLL_SECONDS)
            raise CollectError(f"{request.operation}: still {code} after {_POLLS} questions", remedy="Run again later.")

        return send

    def _ask(self, operation: str, parameters: dict[str, Any]) -> tuple[Response, str]:
        """One answer, with its error code if it is an error."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        hearing = Hearing(time.monotonic() + DEADLINE_SECONDS)
        heard = HEARING.set(hearing)
        answer, code = {}, ""
        try:
            answer = self._call(operation, parameters)
        except (Unreadable, ResponseParserError):
            if hearing.response is None:
                raise
        except ClientError as error:
            if hearing.response is None or error.operation_name != operation:
                raise aws_errors.unsigned(error) from error
            answer, code = error.response, str(error.response.get("Error", {}).get("Code", ""))
            if aws_errors.bad_credential(code):
                raise aws_errors.answered(error, self.service) from None
        except BotoCoreError as error:
            lacking = self.clients.lacks(self.access, self.service, self.region)
            raise aws_errors.unanswered(error, self.service, self.region, lacking) from error
        finally:
            HEARING.reset(heard)
        if hearing.response is None:
            raise CollectError(f"{self.service}.{operation}: an answer that did not come over the wire")
        return replace(hearing.response, attempts=_attempts(answer)), code

    def _call(self, operation: str, parameters: dict[str, Any]) -> Any:
        from botocore import exceptions as aws
        from botocore import xform_name

        call = getattr(self.clients.wire(self.access, self.service, self.region), xform_name(operation))
        for left in reversed(range(_BODIES)):
            try:
                return call(**parameters)
            except (aws.ResponseStreamingError, aws.IncompleteReadError, aws.FlexibleChecksumError):
                if not left:
                    raise
        return None


def _attempts(answer: Any) -> int:
    return int(answer.get("ResponseMetadata", {}).get("RetryAttempts", 0)) + 1

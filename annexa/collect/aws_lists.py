"""Lists of AWS, read to their end or not at all.

Rules:
- An item path that the operation's model does not have is an error, never an empty list.
- An answer that says "truncated" and not how to go on, or that has a next token where botocore knows no paging, is an
  error. (A token that comes round is found where the requests are made.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from annexa.errors import CollectError

_NOT_ALL = ("IsTruncated", "Truncated", "HasMoreItems")
_NEXT = ("NextToken", "nextToken", "Marker", "NextMarker", "NextContinuationToken")


class Listing:
    """One listing in progress.

    Args:
        client: A botocore client.
        operation: Its method (`list_users`).
        path: The dotted path of the items (`Reservations.Instances` goes through both lists); empty for whole pages.

    Raises:
        CollectError: the operation's model has no such path.
    """

    def __init__(self, client: Any, operation: str, path: str) -> None:
        self._client, self._operation = client, operation
        self._path = path.split(".") if path else []
        self._paged = bool(client.can_paginate(operation))
        self._last: dict[str, Any] = {}
        self._require_path()

    def answers(self, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The answers, one a page, as botocore gives them."""
        if self._paged:
            return iter(self._client.get_paginator(self._operation).paginate(**parameters))
        return self._single(parameters)

    def items(self, page: dict[str, Any]) -> Iterator[Any]:
        """The items of one page."""
        self._last = page
        return iter(_at(page, self._path)) if self._path else iter((page,))

    def require_end(self) -> None:
        """After the last page.

        Raises:
            CollectError: that page says that there is more.
        """
        if self._paged:
            _refuse_more(self._operation, self._last, _NOT_ALL)
        else:
            require_whole(self._operation, self._last)

    def _single(self, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield getattr(self._client, self._operation)(**parameters)

    def _require_path(self) -> None:
        model = self._client.meta.service_model
        shape = model.operation_model(self._client.meta.method_to_api_mapping[self._operation]).output_shape
        for name in self._path:
            while shape.type_name == "list":
                shape = shape.member
            if shape.type_name != "structure" or name not in shape.members:
                raise CollectError(
                    f"{self._operation} has no {'.'.join(self._path)}", remedy="This is an error in the collector."
                )
            shape = shape.members[name]


def require_whole(operation: str, answer: dict[str, Any]) -> None:
    """For an answer that nobody will ask the rest of.

    Raises:
        CollectError: it says that there is more.
    """
    _refuse_more(operation, answer, _NOT_ALL + _NEXT)


def _refuse_more(operation: str, answer: dict[str, Any], names: tuple[str, ...]) -> None:
    more = [name for name in names if answer.get(name)]
    if more:
        raise CollectError(f"{operation}: the answer is not the whole: {more[0]}, and nobody asks for the rest")


def _at(value: Any, path: list[str]) -> list[Any]:
    """The items at a path; lists on the way are gone through. botocore leaves empty lists out: absent is empty."""
    if value is None:
        return []
    if isinstance(value, list):
        return [item for part in value for item in (_at(part, path) if path else [part])]
    return _at(value.get(path[0]), path[1:]) if path else [value]

"""The headers that are recorded, by allow-list: whatever is not named here never reaches the evidence.

So `Authorization`, `Cookie`, `Set-Cookie`, `Private-Token` and every header invented tomorrow stay out. What is kept
says what the answer is (type, tag, date), how it goes on (links, pages, totals), what the limits were, and by which
number the vendor's support can find the request again.
"""

from __future__ import annotations

import re

from annexa.collect.exchange import Headers

_KEPT = re.compile(
    r"(?i)accept|content-type|content-range|content-disposition|date|etag|last-modified|link|location|prefer|range|"
    r"retry-after|server|user-agent|warning|deprecation|sunset|consistencylevel|odata-version|api-supported-versions|"
    r"(?:x-)?(?:[a-z0-9]+-)*request-?id|(?:x-)?(?:[a-z0-9]+-)*(?:rate-?limit|ratelimit)(?:-[a-z-]+)?|"
    r"x-amzn?-(?:id-2|trace-id|target|version-id|account-id|expected-bucket-owner|bucket-region|errortype|query-error|"
    r"query-mode|server-side-encryption|object-lock-[a-z-]+|delete-marker|storage-class|meta-[a-z0-9-]+)|x-okta-[a-z-]+|x-github-(?:api-version(?:-selected)?|media-type|sso)|"
    r"(?:x-)?(?:accepted-)?oauth-scopes|x-accepted-[a-z-]+|(?:x-)?(?:[a-z0-9]+-)*total(?:-[a-z]+)?|"
    r"x-(?:next-page|prev-page|page|per-page|count)|x-[a-z]+-region|x-[a-z]+-error-mess?sage"
)


def recorded(headers: Headers) -> Headers:
    """The headers that may be recorded, in their order."""
    return tuple((name, value) for name, value in headers if _KEPT.fullmatch(name))

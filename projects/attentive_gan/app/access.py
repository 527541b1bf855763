"""Which requests are accepted, decided from their headers before a body is read."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from .limits import Limits

#: Header with the page's token, which a page from elsewhere cannot read.
TOKEN_HEADER = 'X-App-Token'  # noqa: S105 -- its name, not its value


@dataclass(frozen=True)
class Access:
    """Rules for requests.

    Attributes:
        hosts: Accepted Host headers, such as `127.0.0.1:8347`; all others are refused, so that a foreign
            name that resolves to this computer (DNS rebinding) reaches nothing.
        limits: Limits of uploads.
        token: Secret in the page, without which nothing can be sent.
    """

    hosts: Collection[str]
    limits: Limits
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def refusal(
        self, method: str, header: Callable[[str], str], length: int, chunked: bool
    ) -> tuple[int, str] | None:
        """Return status and reason of a request that is refused; None for an accepted one.

        Args:
            method: Method of the request.
            header: Returns a header by name; '' where there is none.
            length: Stated length of the body in bytes.
            chunked: Whether the body comes in chunks, so that its length is not stated.
        """
        if header('Host') not in self.hosts:
            return 403, 'This page answers only to its own address on this computer.'
        if method in ('GET', 'HEAD'):
            return (413, 'This request has no body.') if length or chunked else None
        given = header(TOKEN_HEADER)
        same_origin = header('Origin') in {f'http://{host}' for host in self.hosts}
        if not (same_origin and hmac.compare_digest(given.encode(), self.token.encode())):
            return 403, 'Only the page itself may send this. Reload the page and try again.'
        if chunked:
            return 411, 'The length of the file must be stated.'
        if length > self.limits.upload_bytes:
            return 413, (
                f'The file is larger than {self.limits.upload_megabytes:g} MB. Choose a smaller one, or '
                'start the app with a larger --max-upload-mb.'
            )
        return None

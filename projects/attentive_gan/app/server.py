"""The page's URLs, and the requests that are accepted."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from flask import Flask, Response, abort, jsonify, render_template_string, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import SUFFIXES
from attentive_gan.web import read_asset

from .jobs import Jobs

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    'Content-Security-Policy': _POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cache-Control': 'no-store',
}
#: Header with the page's token, which a page from elsewhere cannot read.
TOKEN_HEADER = 'X-App-Token'  # noqa: S105 -- its name, not its value
#: Header with the percent-encoded file name; the body is the plain file, so nothing is written to disk.
NAME_HEADER = 'X-File-Name'


@dataclass(frozen=True)
class Limits:
    """Limits of uploads."""

    upload_megabytes: float = 64.0
    """Largest file, in units of 10^6 bytes."""
    megapixels: float = 50.0
    """Largest image, in units of 10^6 pixels."""

    @property
    def upload_bytes(self) -> int:
        """Largest file in bytes."""
        return int(self.upload_megabytes * 1e6)

    @property
    def pixels(self) -> int:
        """Largest image in pixels."""
        return int(self.megapixels * 1e6)


def create_app(jobs: Jobs, limits: Limits, hosts: Collection[str], restorer_name: str) -> Flask:
    """Return the web application.

    Args:
        jobs: Queue of images.
        limits: Limits of uploads.
        hosts: Accepted Host headers, such as `127.0.0.1:8347`; all others are refused, so that a foreign
            name that resolves to this computer (DNS rebinding) reaches nothing.
        restorer_name: Name of the network, shown on the page.
    """
    app = Flask(__name__, static_folder=None)
    token = secrets.token_urlsafe(32)
    _guard(app, hosts, token)
    _add_page(app, limits, restorer_name, token)
    _add_jobs(app, jobs, limits)
    return app


def _guard(app: Flask, hosts: Collection[str], token: str) -> None:
    @app.before_request
    def check_request() -> None:
        if request.host not in hosts:
            abort(403, 'This page answers only to its own address on this computer.')
        if request.method in ('GET', 'HEAD'):
            return
        given = request.headers.get(TOKEN_HEADER, '')
        same_origin = request.headers.get('Origin') in {f'http://{host}' for host in hosts}
        if not (same_origin and hmac.compare_digest(given.encode(), token.encode())):
            abort(403, 'Only the page itself may send this. Reload the page and try again.')

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.description), error.code or 500


def _add_page(app: Flask, limits: Limits, restorer_name: str, token: str) -> None:
    assets = {
        'style.css': ('text/css', read_asset('look.css') + read_asset('app.css', __package__)),
        'script.js': (
            'text/javascript',
            read_asset('slider.js') + read_asset('app.js', __package__),
        ),
        'icon.svg': ('image/svg+xml', read_asset('icon.svg', __package__)),
    }

    @app.get('/')
    def page() -> str:
        values = {'limits': limits, 'restorer': restorer_name, 'token': token}
        return render_template_string(
            read_asset('index.html.j2', __package__), **values, suffixes=','.join(SUFFIXES)
        )

    @app.get('/<any("style.css", "script.js", "icon.svg"):name>')
    def asset(name: str) -> Response:
        kind, text = assets[name]
        return Response(text, mimetype=kind)


def _add_jobs(app: Flask, jobs: Jobs, limits: Limits) -> None:  # noqa: C901 -- four URLs
    @app.post('/jobs')
    def submit() -> tuple[Response, int]:
        if (request.content_length or 0) > limits.upload_bytes:
            raise RequestEntityTooLarge(
                f'The file is larger than {limits.upload_megabytes:g} MB. Choose a smaller one, or '
                'start the app with a larger --max-upload-mb.'
            )
        content = request.get_data(cache=False)
        name = _clean_name(request.headers.get(NAME_HEADER, ''))
        if not content:
            abort(400, f'{name} is empty (0 bytes). Choose another file.')
        try:
            return jsonify(key=jobs.submit(content, name)), 202
        except UserError as error:
            abort(503, str(error))

    @app.get('/jobs/<key>')
    def report(key: str) -> Response:
        job, before = jobs.find(key) or abort(404, 'This image is no longer here; send it again.')
        answer: dict[str, Any] = {'state': job.state, 'before': before, 'fraction': job.fraction}
        if job.state == 'failed':
            answer['error'] = job.error
        results = job.results
        if results is not None:
            answer |= {'width': results.width, 'height': results.height}
            answer |= {'names': results.names, 'files': list(results.files)}
        return jsonify(answer)

    @app.get('/jobs/<key>/<file>')
    def fetch(key: str, file: str) -> Response:
        found = jobs.find(key)
        results = found[0].results if found else None
        if results is None or file not in results.files:
            abort(404, 'This result is no longer here; send the image again.')
        return Response(results.files[file], mimetype='application/octet-stream')

    @app.delete('/jobs/<key>')
    def forget(key: str) -> tuple[str, int]:
        jobs.forget(key)
        return '', 204


def _clean_name(given: str) -> str:
    """Return the last part of a file name, without control characters and of bounded length."""
    name = PurePosixPath(unquote(given).replace('\\', '/')).name
    return PurePosixPath(shown(name)[-200:]).name or 'image'

"""The page's URLs, and the requests that are accepted."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from flask import Flask, Response, abort, jsonify, render_template_string, request
from werkzeug.exceptions import HTTPException

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import SUFFIXES
from attentive_gan.web import read_asset

from .access import Access
from .jobs import Jobs
from .limits import Limits
from .results import check_upload

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
#: Header with the percent-encoded file name; the body is the plain file, so nothing is written to disk.
NAME_HEADER = 'X-File-Name'


def create_app(jobs: Jobs, access: Access, restorer_name: str) -> Flask:
    """Return the web application.

    Args:
        jobs: Queue of images.
        access: Which requests are accepted, and the limits of uploads.
        restorer_name: Name of the network, shown on the page.
    """
    app = Flask(__name__, static_folder=None)
    _guard(app, access)
    _add_page(app, access, restorer_name)
    _add_jobs(app, jobs, access.limits)
    return app


def _guard(app: Flask, access: Access) -> None:
    @app.before_request
    def check_request() -> None:
        # The server checks this before it reads a body; here for every other server.
        length, headers = request.content_length or 0, request.headers
        chunked = 'Transfer-Encoding' in headers
        refused = access.refusal(
            request.method, lambda name: headers.get(name, ''), length, chunked
        )
        if refused:
            abort(*refused)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.description), error.code or 500


def _add_page(app: Flask, access: Access, restorer_name: str) -> None:
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
        values = {'limits': access.limits, 'restorer': restorer_name, 'token': access.token}
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
        content = request.get_data(cache=False)
        name = _clean_name(request.headers.get(NAME_HEADER, ''))
        if not content:
            abort(400, f'{name} is empty (0 bytes). Choose another file.')
        try:
            check_upload(content, name, limits)
        except UserError as error:
            abort(422, str(error))
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
            answer['lost'] = results.lost
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

"""Addresses as inputs: cameras and network streams, which are live; files are not fetched."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import SUFFIXES

#: Schemes of addresses that are read live.
_SCHEMES = ('rtsp', 'rtsps', 'rtmp', 'http', 'https', 'udp', 'tcp', 'srt')

#: Beginning of an address.
_ADDRESS = re.compile(r'([a-zA-Z][a-zA-Z0-9+.-]*)://')

#: A camera of this machine, by its number.
CAMERA = re.compile(r'camera:(\d{1,3})')

#: Suffixes of videos that are files, which must be read whole; others may be streams.
_FILES = ('.mp4', '.mov', '.avi', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv', '.3gp', '.ogv')


def is_live(argument: str) -> bool:
    """Return whether an input is a camera or a network stream rather than a file.

    Example:
        >>> [is_live(a) for a in ('camera:0', 'rtsp://10.0.0.7/stream', 'trip/clip.mp4', '0')]
        [True, True, False, False]
    """
    scheme, found, _ = argument.partition('://')
    return bool(CAMERA.fullmatch(argument)) or bool(found and scheme.lower() in _SCHEMES)


def public_address(address: str) -> str:
    """Return an address without user name and password.

    Example:
        >>> public_address('rtsp://admin:secret@10.0.0.7:554/stream')
        'rtsp://10.0.0.7:554/stream'
    """
    head, found, rest = address.partition('://')
    host, slash, path = rest.partition('/')
    return f'{head}{found}{host.rpartition("@")[2]}{slash}{path}'


def refuse_address(argument: str) -> None:
    """Refuse addresses of files, and of kinds that are not read.

    Args:
        argument: An input.

    Raises:
        UserError: It is such an address; the message says what to do.
    """
    found = _ADDRESS.match(argument)
    if not found:
        return
    scheme = found[1]
    name = shown(public_address(argument))
    if scheme.lower() not in _SCHEMES:
        raise UserError(
            f'{name}: nothing is read from addresses that begin with {scheme}. Download the file and name '
            f'it; live streams begin with {", ".join(_SCHEMES)}'
        )
    suffix = PurePosixPath(urlsplit(argument).path).suffix.lower()
    is_file = suffix in (*SUFFIXES, *_FILES)
    if scheme.lower() in ('http', 'https') and is_file:
        raise UserError(
            f'{name} is the address of a file. Download it (curl -LO ADDRESS) and name the file; only live '
            'streams are read from addresses'
        )


def refuse_addresses(arguments: Iterable[str]) -> None:
    """Refuse all addresses among the names of files.

    Args:
        arguments: Inputs.

    Raises:
        UserError: One is an address or a camera; the message says what to do.
    """
    for argument in arguments:
        refuse_address(argument)
        if is_live(argument):
            name = shown(public_address(argument))
            raise UserError(
                f'{name} is live, so it must be the only input of a command; in Python, see restore_live'
            )

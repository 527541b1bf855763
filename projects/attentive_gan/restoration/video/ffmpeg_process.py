"""Running ffmpeg and ffprobe: files only, and no file that names other files."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

#: Containers and raw streams that are opened. Playlists and lists of files (hls, dash, concat, imf, image2)
#: are not among them: under the name of a video they would make ffmpeg open other files.
_FORMATS = (
    'mov,mp4,m4a,3gp,3g2,mj2', 'matroska,webm', 'avi', 'mpegts', 'mpeg', 'mpegvideo', 'mpegtsraw',
    'asf', 'asf_o', 'flv', 'live_flv', 'ogg', 'mxf', 'gxf', 'lxf', 'nut', 'nsv', 'rm', 'wtv', 'dv',
    'ivf', 'av1', 'obu', 'h261', 'h263', 'h264', 'hevc', 'vvc', 'm4v', 'vc1', 'vc1test', 'cavsvideo',
    'avs2', 'avs3', 'dirac', 'dnxhd', 'mjpeg', 'mpjpeg', 'yuv4mpegpipe', 'pva', 'film_cpk', 'ifv',
    'dhav', 'swf', 'smjpeg', 'gif', 'apng',
)  # fmt: skip
#: Options before an input that the user names.
_SAFE = ('-protocol_whitelist', 'file,pipe', '-format_whitelist', ','.join(_FORMATS))
#: Levels of messages that are errors; warnings are read for what they say of frames.
_ERROR = re.compile(r'\[(error|fatal|panic)\] ?')
#: What ffmpeg says for each frame whose size or pixel format is not that of the first.
_CHANGED = 'Changing video frame properties on the fly'


def file_url(path: Path) -> str:
    """Return a path that ffmpeg takes for a file, whatever its name."""
    return f'file:{path}'


def source_input(path: Path) -> list[str]:
    """Return the arguments of ffmpeg and ffprobe that open a user's file, and no other."""
    return [*_SAFE, '-i', file_url(path)]


def muxer(suffix: str) -> str:
    """Return ffmpeg's format for a file name suffix."""
    kinds = {'.mkv': 'matroska', '.mov': 'mov', '.webm': 'webm'}
    return kinds.get(suffix.lower(), 'mp4')


class FfmpegProcess:
    """A running ffmpeg; its messages go to a temporary file, so that it never waits for a reader.

    Args:
        arguments: Its arguments.
        pass_fds: File descriptors that it shall have too.
        pipes: `stdin` or `stdout`, as for `subprocess.Popen`.
    """

    def __init__(
        self, arguments: Sequence[str], pass_fds: Sequence[int] = (), **pipes: int
    ) -> None:
        self._messages = TemporaryFile()  # noqa: SIM115 -- lives as long as the process
        # In a session of its own: Ctrl-C reaches this process only, which then ends it.
        self.popen: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]  # noqa: S603
            ['ffmpeg', '-hide_banner', '-nostdin', '-loglevel', 'level+warning', *arguments],  # noqa: S607
            stderr=self._messages,
            start_new_session=True,
            pass_fds=pass_fds,
            **pipes,
        )

    def errors(self) -> str:
        """Return the last error messages; empty if there are none."""
        found = [line for line in self._lines() if _ERROR.search(line)]
        return ' '.join(_ERROR.sub('', ' '.join(found[-6:])).split())

    def frames_changed(self) -> bool:
        """Return whether frames had another size or pixel format than the first."""
        return any(_CHANGED in line for line in self._lines())

    def succeeded(self) -> bool:
        """Wait for the end; return whether there was no error."""
        return self.popen.wait() == 0

    def kill(self) -> None:
        """End the process if it is still running."""
        self.popen.kill()
        self.popen.wait()

    def _lines(self) -> list[str]:
        self._messages.seek(0)
        return self._messages.read().decode('utf-8', 'replace').splitlines()

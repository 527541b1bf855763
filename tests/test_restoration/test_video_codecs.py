"""Choice of codec and encoder, and transparency, by the installed ffmpeg; ffprobe and ffmpeg check it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from attentive_gan.cli import restore as command
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration import VideoOptions, restore_video
from attentive_gan.restoration.video.encoders import encoders, parse_options
from support.clips import frame_times, make_clip, streams
from torch import nn

pytestmark = pytest.mark.skipif(
    not (shutil.which('ffmpeg') and shutil.which('ffprobe')), reason='ffmpeg is not installed'
)

#: A ramp whose transparency falls from left to right and moves with each frame.
TRANSPARENT = 'nullsrc=s=48x32:r=10,format=rgba,geq=r=40+2*Y:g=60+N*9:b=90:a=mod(X*5+N*10\\,256)'


class Inverted(nn.Module):
    """Gives the negative."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the negative of the images."""
        return 1 - images * self.weight


def _needs(*names: str) -> None:
    for name in names:
        if name not in encoders():
            pytest.skip(f'this ffmpeg has no {name}')


def _rgba(path: Path) -> np.ndarray:
    """Return all frames (N, H, W, 4), decoded by ffmpeg with their transparency."""
    video = streams(path)[0]
    decoder = ['-c:v', 'libvpx-vp9'] if video['codec_name'] == 'vp9' else []
    command = [
        'ffmpeg', '-v', 'error', *decoder, '-i', path, '-vsync', '0', '-f', 'rawvideo', '-pix_fmt', 'rgba',
        '-',
    ]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True)
    return (
        np.frombuffer(done.stdout, np.uint8)
        .reshape(-1, video['height'], video['width'], 4)
        .astype(int)
    )


@pytest.mark.parametrize(
    ('encoder', 'pixels', 'before', 'after', 'codec', 'largest'),
    [
        ('libvpx-vp9', 'yuva420p', '.webm', '.webm', 'vp9', 12),
        ('libvpx-vp9', 'yuva420p', '.webm', '.mkv', 'vp9', 12),
        ('prores_ks', 'yuva444p10le', '.mov', '.mov', 'prores', 1),  # ffmpeg's scaler
        ('qtrle', 'argb', '.mov', '.mov', 'prores', 1),
        ('png', 'rgba', '.mov', '.mkv', 'ffv1', 0),
        ('ffv1', 'yuva422p10le', '.mkv', '.mkv', 'ffv1', 0),
    ],
)
def test_transparency_passes_unchanged(
    encoder: str, pixels: str, before: str, after: str, codec: str, largest: int, tmp_path: Path
) -> None:
    _needs(encoder, 'libvpx-vp9', 'prores_ks')
    restorer = ImageRestorer(network=Inverted(), precision='float32')
    source, output = tmp_path / f'a{before}', tmp_path / f'out{after}'
    make_clip(source, '-an', '-c:v', encoder, '-pix_fmt', pixels, frames=7, image=TRANSPARENT)
    notes = restore_video(restorer, source, output, VideoOptions(8, 4)).notes
    assert not any('transparency' in note for note in notes), notes
    assert streams(output)[0]['codec_name'] == codec
    was, now = _rgba(source), _rgba(output)
    assert now.shape == was.shape == (7, 32, 48, 4)
    assert np.abs(now[..., 3] - was[..., 3]).max() <= largest
    assert np.abs(now[..., :3] - (255 - was[..., :3])).mean() < 4


@pytest.mark.parametrize(
    ('codec', 'suffix'), [('', '.mp4'), ('h264', '.mkv'), ('vp9', '.mp4'), ('mpeg4', '.mov')]
)
def test_lost_transparency_is_said(
    codec: str, suffix: str, identity: ImageRestorer, tmp_path: Path
) -> None:
    _needs('libvpx-vp9')
    source = tmp_path / 'a.mov'
    make_clip(source, '-an', '-c:v', 'qtrle', '-pix_fmt', 'argb', frames=2, image=TRANSPARENT)
    options = VideoOptions(codec=codec)
    notes = restore_video(identity, source, tmp_path / f'out{suffix}', options).notes
    assert sum('transparency is lost' in note for note in notes) == 1, notes
    assert sum('chroma of 4:4:4' in note for note in notes) == (codec == 'mpeg4'), notes


@pytest.mark.parametrize(
    ('codec', 'suffix', 'pixels', 'name', 'written'),
    [
        ('h264', '.mkv', 'yuv422p10le', 'h264', 'yuv422p10le'),
        ('av1', '.mp4', 'yuv420p10le', 'av1', 'yuv420p10le'),
        ('vp9', '.mp4', 'yuv444p', 'vp9', 'yuv444p'),
        ('prores', '.mov', 'yuv420p', 'prores', 'yuv422p10le'),
        ('ffv1', '.mkv', 'yuv420p12le', 'ffv1', 'yuv420p12le'),
        ('mpeg4', '.mp4', 'yuv420p', 'mpeg4', 'yuv420p'),
        ('libx264rgb', '.mkv', 'yuv444p', 'h264', 'gbrp'),
    ],
)
def test_codecs_and_encoders_are_chosen_and_keep_times(
    codec: str, suffix: str, pixels: str, name: str, written: str, identity: ImageRestorer,
    tmp_path: Path,
) -> None:  # fmt: skip
    _needs('libsvtav1', 'libvpx-vp9')
    coder = ['-c:v', 'ffv1'] if '12' in pixels else []
    image = 'testsrc2=s=96x64:r=10,select=not(eq(n\\,3)+eq(n\\,4))'
    words = [*coder, '-vsync', 'vfr', '-an', '-pix_fmt', pixels]
    source = make_clip(tmp_path / 'a.mkv', *words, frames=9, image=image)
    output = tmp_path / f'out{suffix}'
    report = restore_video(identity, source, output, VideoOptions(10, 4, codec=codec))
    (stream,) = streams(output)
    assert (stream['codec_name'], stream['pix_fmt']) == (name, written)
    assert np.allclose(frame_times(output), frame_times(source), atol=1.1e-3), report.notes
    assert np.abs(_rgba(output) - _rgba(source)).mean() < 4
    assert not any('order' in note for note in report.notes)


def test_options_reach_the_encoder(identity: ImageRestorer, tmp_path: Path) -> None:
    source, output = make_clip(tmp_path / 'a.mp4', frames=4), tmp_path / 'out.mp4'
    options = VideoOptions(encoder_options='-profile:v high10 -pix_fmt yuv420p10le -level 5.1')
    restore_video(identity, source, output, options)
    (video, _sound) = streams(output)
    assert (video['pix_fmt'], video['level']) == ('yuv420p10le', 51)


@pytest.mark.parametrize(
    ('codec', 'options', 'suffix', 'says'),
    [
        ('h263999', '', '.mp4', 'has no such encoder. It has h264'),
        ('h264_nope', '', '.mp4', '"ffmpeg -encoders" lists'),
        ('prores', '', '.mp4', r'cannot hold it; name the output \.mov or \.mkv'),
        ('ffv1', '', '.webm', r'cannot hold it; name the output \.mkv or \.mov'),
        ('', '-preset quick', '.mp4', '--encoder-options "-preset quick"'),
        ('', '-cpu-used 3', '.mp4', 'no option -cpu-used'),
        ('', '-nonsense 3', '.mp4', 'nonsense'),
        ('', '-vf hflip', '.mp4', 'is set by this tool'),
        ('', 'other.mp4', '.mp4', 'expected names and values'),
        ('', '-tune "film', '.mp4', 'No closing quotation'),
    ],
)
def test_what_cannot_be_written_is_said_before_the_work(
    codec: str, options: str, suffix: str, says: str, identity: ImageRestorer, tmp_path: Path
) -> None:
    source = make_clip(tmp_path / 'a.mp4', frames=2)
    chosen = VideoOptions(codec=codec, encoder_options=options)
    with pytest.raises(UserError, match=says) as caught:
        restore_video(identity, source, tmp_path / f'out{suffix}', chosen)
    assert '\n' not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ['a.mp4']


def test_hardware_that_is_not_there_is_said(identity: ImageRestorer, tmp_path: Path) -> None:
    names = [name for name in encoders() if name.endswith(('264_vaapi', '264_nvenc', '264_qsv'))]
    source = make_clip(tmp_path / 'a.mp4', frames=3, image='testsrc2=s=256x256:r=10')
    for name in names:
        said = ''
        try:
            restore_video(identity, source, tmp_path / 'out.mp4', VideoOptions(codec=name))
        except UserError as error:
            said = str(error)
        if said:
            assert f'--codec {name}' in said
            assert '\n' not in said
        else:  # this machine has it
            assert len(frame_times(tmp_path / 'out.mp4')) == 3


def test_the_name_of_the_result_follows_the_codec(
    identity_weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import argparse

    source = make_clip(tmp_path / 'a.mp4', frames=2)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = [str(source), '--weights', str(identity_weights), '--codec', 'ffv1']
    assert command.run(parser.parse_args(words)) == 0
    assert (tmp_path / 'a_dry.mkv').is_file()
    assert streams(tmp_path / 'a_dry.mkv')[0]['codec_name'] == 'ffv1'
    with pytest.raises(UserError, match='--codec nothing'):
        command.run(parser.parse_args([*words[:-1], 'nothing']))


def test_without_ffmpeg_a_codec_is_refused(
    identity: ImageRestorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip(tmp_path / 'a.mp4', frames=2)
    monkeypatch.setitem(os.environ, 'PATH', str(tmp_path))
    with pytest.raises(UserError, match='need ffmpeg'):
        restore_video(identity, source, tmp_path / 'out.mp4', VideoOptions(codec='hevc'))


def test_options_are_split_as_a_shell_does() -> None:
    words = parse_options("-x264-params 'me=umh:subme=8' -tune film")
    assert words == ['-x264-params', 'me=umh:subme=8', '-tune', 'film']


@pytest.mark.parametrize(
    'change', [{'codec': 'ffv1'}, {'encoder_options': '-preset veryslow'}], ids=['codec', 'options']
)
def test_segments_of_another_encoding_are_not_joined(
    change: dict[str, str], identity: ImageRestorer, tmp_path: Path
) -> None:
    source, output = make_clip(tmp_path / 'a.mp4', frames=9), tmp_path / 'out.mkv'

    def stop(done: float, text: str) -> None:
        if done >= 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_video(identity, source, output, VideoOptions(segment_frames=4), stop)
    report = restore_video(identity, source, output, VideoOptions(segment_frames=4, **change))
    assert (report.resumed_at, report.frames) == (0, 9)
    assert any('began anew' in note for note in report.notes)
    assert len(_rgba(output)) == 9

"""Videos keep all but the drops: frames, rate, sound, subtitles, colours, shape."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration import VideoOptions, restore_video
from support.clips import decoded, frame_times, make_clip, stream_hash, streams

needs_ffmpeg = pytest.mark.skipif(
    not (shutil.which('ffmpeg') and shutil.which('ffprobe')), reason='ffmpeg is not installed'
)
pytestmark = needs_ffmpeg
#: Seven frames a segment: 20 frames are two full ones and a part.
SHORT = VideoOptions(segment_frames=7)
#: Mean difference in levels that the encoding of small, colourful frames may make.
NEAR = 10


def test_frames_rate_and_sound_are_kept(identity: ImageRestorer, tmp_path: Path) -> None:
    source = make_clip(tmp_path / 'a.mp4')
    reported: list[float] = []
    report = restore_video(
        identity, source, tmp_path / 'out.mp4', SHORT, lambda part, _: reported.append(part)
    )
    info, wanted = streams(tmp_path / 'out.mp4')[0], streams(source)[0]
    for name in (
        'r_frame_rate',
        'avg_frame_rate',
        'nb_read_frames',
        'width',
        'height',
        'start_time',
    ):
        assert info[name] == wanted[name], name
    assert frame_times(tmp_path / 'out.mp4') == frame_times(source)
    assert stream_hash(tmp_path / 'out.mp4', 'a:0') == stream_hash(source, 'a:0')
    before, after = decoded(source).astype(int), decoded(tmp_path / 'out.mp4')
    nearest = [int(np.abs(before - frame).mean(axis=(1, 2, 3)).argmin()) for frame in after]
    assert nearest == list(range(20)), nearest
    assert np.abs(before - after).mean() < NEAR
    assert (report.frames, report.rate, report.audio, report.notes) == (20, '30000/1001', True, [])
    assert reported == sorted(reported)
    assert reported[-1] == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ['a.mp4', 'out.mp4']


def test_pixel_shape_and_colour_tags_are_kept(identity: ImageRestorer, tmp_path: Path) -> None:
    source = make_clip(
        tmp_path / 'a.mp4', '-vf', 'scale=out_color_matrix=bt709,setsar=4/3', '-colorspace', 'bt709',
        '-color_primaries', 'bt709', '-color_trc', 'bt709', frames=3, image='color=c=0x30a060:s=48x32',
    )  # fmt: skip
    restore_video(identity, source, tmp_path / 'out.mp4', SHORT)
    before, after = streams(source)[0], streams(tmp_path / 'out.mp4')[0]
    for name in ('sample_aspect_ratio', 'color_space', 'color_primaries', 'color_transfer'):
        assert before[name] == after[name] not in (None, 'unknown'), name
    assert np.abs(decoded(source).astype(int) - decoded(tmp_path / 'out.mp4')).max() <= 3


def test_phone_video_is_turned_upright(identity: ImageRestorer, tmp_path: Path) -> None:
    lying = make_clip(tmp_path / 'lying.mp4', frames=3)
    source = tmp_path / 'a.mp4'
    words = ['-c', 'copy', '-metadata:s:v:0', 'rotate=90']
    subprocess.run(['ffmpeg', '-v', 'error', '-i', lying, *words, source], check=True)
    if not any('rotation' in d for d in streams(source)[0].get('side_data_list', ())):
        pytest.skip('this ffmpeg does not write the rotation by metadata')
    report = restore_video(identity, source, tmp_path / 'out.mp4', SHORT)
    assert (report.width, report.height) == (32, 48)
    after = streams(tmp_path / 'out.mp4')[0]
    assert (after['width'], after['height']) == (32, 48)
    assert 'side_data_list' not in after
    turned = decoded(source)  # OpenCV turns it too
    assert np.abs(turned.astype(float) - decoded(tmp_path / 'out.mp4')).mean() < NEAR


def test_odd_sides_are_kept_and_said(identity: ImageRestorer, tmp_path: Path) -> None:
    source = make_clip(
        tmp_path / 'a.mkv', '-vf', 'format=yuv444p,crop=47:31', '-pix_fmt', 'yuv444p', frames=3
    )
    report = restore_video(identity, source, tmp_path / 'out.mkv', SHORT)
    assert decoded(tmp_path / 'out.mkv').shape == (3, 31, 47, 3)
    assert any('4:4:4' in note for note in report.notes)


@pytest.mark.parametrize('ending', ['.mp4', '.mkv'])
def test_unequal_frame_times_are_kept(ending: str, identity: ImageRestorer, tmp_path: Path) -> None:
    """Frame for frame, with the work stopped on the way."""
    words = ['-vf', "select='not(between(n,5,8)+eq(n,11))'", '-vsync', 'vfr']
    source = make_clip(tmp_path / f'a{ending}', *words, frames=25)
    target = tmp_path / f'out{ending}'

    def stop(part: float, _: str) -> None:
        if part > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_video(identity, source, target, SHORT, stop)
    report = restore_video(identity, source, target, SHORT)
    assert (report.frames, report.resumed_at, report.notes) == (25, 7, [])
    tolerance = 1e-6 if ending == '.mp4' else 1.1e-3  # Matroska rounds to milliseconds
    assert np.allclose(frame_times(target), frame_times(source), rtol=0, atol=tolerance)
    assert np.ptp(np.diff(frame_times(source))) > 0.1
    before, after = decoded(source).astype(int), decoded(target)
    assert np.abs(before - after).mean(axis=(1, 2, 3)).max() < NEAR


def test_images_that_begin_after_the_sound_still_do(
    identity: ImageRestorer, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / 'clip.mp4', frames=10)
    source = tmp_path / 'a.mp4'
    words = ['-map', '1:v', '-map', '0:a', '-c', 'copy']
    command = ['ffmpeg', '-v', 'error', '-i', clip, '-itsoffset', '0.4', '-i', clip, *words, source]
    subprocess.run(command, check=True)
    restore_video(identity, source, tmp_path / 'out.mp4', SHORT)
    assert frame_times(source)[0] > 0.3
    assert np.allclose(frame_times(tmp_path / 'out.mp4'), frame_times(source), atol=2e-3)


def test_subtitles_are_kept_or_converted(identity: ImageRestorer, tmp_path: Path) -> None:
    (tmp_path / 's.srt').write_text('1\n00:00:00,100 --> 00:00:00,400\nRain\n')
    source = tmp_path / 'a.mkv'
    clip = make_clip(tmp_path / 'clip.mkv', '-c:a', 'aac')
    command = ['ffmpeg', '-v', 'error', '-i', clip, '-i', tmp_path / 's.srt', '-c', 'copy', source]
    subprocess.run(command, check=True)
    for ending, kind, note in (('.mkv', 'subrip', False), ('.mp4', 'mov_text', True)):
        report = restore_video(identity, source, tmp_path / f'out{ending}', SHORT)
        names = [s['codec_name'] for s in streams(tmp_path / f'out{ending}')]
        assert names == ['h264', 'aac', kind]
        assert any('was converted to text' in text for text in report.notes) is note


@pytest.mark.parametrize('content', [b'', b'no video\n', b'\0' * 5000])
def test_what_is_no_video_is_named(content: bytes, identity: ImageRestorer, tmp_path: Path) -> None:
    source = tmp_path / 'bad.mp4'
    source.write_bytes(content)
    with pytest.raises(UserError, match=r'bad\.mp4'):
        restore_video(identity, source, tmp_path / 'out.mp4', SHORT)
    assert [p.name for p in tmp_path.iterdir()] == ['bad.mp4']


def test_video_without_images_or_frames_is_named(identity: ImageRestorer, tmp_path: Path) -> None:
    whole = make_clip(tmp_path / 'clip.mp4')
    sound, cut = tmp_path / 'sound.mp4', tmp_path / 'cut.mp4'
    subprocess.run(['ffmpeg', '-v', 'error', '-i', whole, '-vn', '-c', 'copy', sound], check=True)
    cut.write_bytes(whole.read_bytes()[:-400])  # the table of contents stands at the end
    empty = tmp_path / 'empty.mp4'
    begin = make_clip(tmp_path / 'begin.mp4', '-movflags', '+faststart').read_bytes()
    empty.write_bytes(begin[: begin.index(b'mdat') + 4])
    for source in (sound, cut, empty):
        with pytest.raises(UserError, match=source.name):
            restore_video(identity, source, tmp_path / 'out.mp4', SHORT)
    assert not list(tmp_path.glob('.*'))
    assert not (tmp_path / 'out.mp4').exists()


@pytest.mark.parametrize('ending', ['.mp4', '.mkv'])
def test_cut_off_video_is_reported(ending: str, identity: ImageRestorer, tmp_path: Path) -> None:
    mp4 = ending == '.mp4'
    words = ['-movflags', '+faststart'] if mp4 else ['-cluster_time_limit', '200']
    whole = make_clip(tmp_path / f'w{ending}', *words, frames=60).read_bytes()
    source = tmp_path / f'a{ending}'
    source.write_bytes(whole[: int(len(whole) * 0.6)])
    report = restore_video(identity, source, tmp_path / f'out{ending}', SHORT)
    assert 0 < report.frames < 55
    (note,) = (text for text in report.notes if 'truncated' in text)
    assert note.startswith(f'{report.frames} frames of')
    assert '60' in note
    assert len(decoded(tmp_path / f'out{ending}')) == report.frames


def test_files_with_strange_names(identity: ImageRestorer, tmp_path: Path) -> None:
    source = make_clip(tmp_path / 'a.mp4', frames=3)
    strange = source.rename(tmp_path / "-it's 100%03d\nrain.mp4")
    target = tmp_path / "out's %d\n.mp4"
    assert restore_video(identity, strange, target, SHORT).frames == 3
    assert target.is_file()

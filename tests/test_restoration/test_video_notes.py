"""What the notes about a restored video say is true: ffprobe reads the result independently."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration import VideoOptions, restore_video
from attentive_gan.restoration.video.encoders import encoders
from support.clips import frame_times, make_clip, streams

pytestmark = pytest.mark.skipif(
    not (shutil.which('ffmpeg') and shutil.which('ffprobe')), reason='ffmpeg is not installed'
)
SHORT = VideoOptions(segment_frames=4)


def _ffmpeg(*words: object) -> None:
    subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', '-y', *map(str, words)], check=True)


@pytest.mark.parametrize('suffix', ['.mkv', '.mp4', '.mov'])
def test_titles_languages_and_stereo_mode_are_kept_or_named(
    suffix: str, identity: ImageRestorer, tmp_path: Path
) -> None:
    subtitles = tmp_path / 's.srt'
    subtitles.write_text('1\n00:00:00,000 --> 00:00:00,100\nrain\n')
    clip = make_clip(tmp_path / 'clip.mp4', '-c:a', 'aac', frames=5)
    source, output = tmp_path / 'a.mkv', tmp_path / f'out{suffix}'
    _ffmpeg(
        '-i', clip, '-i', subtitles, '-map', '0', '-map', '1', '-c', 'copy', '-c:s', 'srt',
        '-metadata:s:v', 'title=Regen', '-metadata:s:v', 'stereo_mode=left_right',
        '-metadata:s:a', 'title=Ton', '-metadata:s:a', 'language=ger', '-metadata:s:s', 'language=ita',
        source,
    )  # fmt: skip
    notes = ' | '.join(restore_video(identity, source, output, SHORT).notes)
    found = [{k.lower(): v for k, v in s.get('tags', {}).items()} for s in streams(output)]
    values = {value for tags in found for value in tags.values()}
    for value in ('Regen', 'Ton', 'ger', 'ita'):
        assert (value in values) != (value in notes), (value, notes, values)
    stereo = 'Stereo 3D' in str(streams(output)[0].get('side_data_list'))
    assert stereo != ('stereo mode left out' in notes)
    assert stereo == (suffix == '.mkv')


def test_a_later_begin_of_the_images_is_no_truncation(
    identity: ImageRestorer, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / 'clip.mp4', '-c:a', 'aac', frames=8)
    source = tmp_path / 'a.mkv'
    _ffmpeg(
        '-itsoffset',
        '0.5',
        '-i',
        clip,
        '-i',
        clip,
        '-map',
        '0:v',
        '-map',
        '1:a',
        '-c',
        'copy',
        source,
    )
    report = restore_video(identity, source, tmp_path / 'out.mkv', SHORT)
    assert report.notes == []
    was, now = frame_times(source), frame_times(tmp_path / 'out.mkv')
    assert np.allclose(was, now, atol=2e-3)


def test_sound_that_could_not_be_read_again_is_converted(
    identity: ImageRestorer, tmp_path: Path
) -> None:
    source = make_clip(tmp_path / 'a.wmv', '-c:v', 'wmv2', '-c:a', 'wmav2', frames=8)
    notes = restore_video(identity, source, tmp_path / 'out.mov', SHORT).notes
    assert notes == ['sound 1 (wmav2) was encoded again as AAC']
    assert [s.get('codec_name') for s in streams(tmp_path / 'out.mov')] == ['h264', 'aac']


def test_hdr_metadata_that_an_encoder_does_not_write_are_named(
    identity: ImageRestorer, tmp_path: Path
) -> None:
    if not {'libx265', 'libvpx-vp9'} <= set(encoders()):
        pytest.skip('this ffmpeg has no libx265 or libvpx-vp9')
    display = 'G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)'
    source = make_clip(
        tmp_path / 'a.mp4', '-an', '-c:v', 'libx265', '-pix_fmt', 'yuv420p10le', '-color_trc', 'smpte2084',
        '-x265-params', f'log-level=none:master-display={display}', frames=2, image='testsrc2=s=96x64:r=10',
    )  # fmt: skip
    output = tmp_path / 'out.webm'
    notes = restore_video(identity, source, output, SHORT).notes
    assert streams(output)[0]['pix_fmt'] == 'yuv420p10le'
    command = ['ffprobe', '-v', 'error', '-show_frames', '-of', 'csv', output]
    found = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    said = any('mastering display of HDR' in note for note in notes)
    assert ('Mastering' in found) != said


def test_variable_times_that_vp9_with_transparency_loses_are_named(
    identity: ImageRestorer, tmp_path: Path
) -> None:
    if 'libvpx-vp9' not in encoders():
        pytest.skip('this ffmpeg has no libvpx-vp9')
    image = 'testsrc2=s=48x32:r=10,format=yuva420p,select=not(eq(n\\,3)+eq(n\\,4))'
    words = ['-an', '-vsync', 'vfr', '-c:v', 'libvpx-vp9', '-pix_fmt', 'yuva420p']
    source = make_clip(tmp_path / 'a.webm', *words, frames=8, image=image)
    notes = restore_video(identity, source, tmp_path / 'out.webm', SHORT).notes
    assert ['variable times of frames cannot be kept' in note for note in notes] == [True]


def test_empty_chunks_of_avi_are_no_lost_frames(identity: ImageRestorer, tmp_path: Path) -> None:
    done = subprocess.run(['ffmpeg', '-v', 'error', '-encoders'], capture_output=True, check=True)
    if b' libmp3lame ' not in done.stdout:
        pytest.skip('this ffmpeg has no libmp3lame')
    source = tmp_path / 'a.avi'
    sound = ['-f', 'lavfi', '-i', 'sine=d=0.3:r=48000', '-c:a', 'libmp3lame']
    _ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=48x32:r=25:d=0.3', *sound, '-c:v', 'mpeg4', source)
    assert int(streams(source)[0]['nb_frames']) == 9  # of which the last one is empty
    assert restore_video(identity, source, tmp_path / 'out.mkv', SHORT).notes == []
    whole = make_clip(tmp_path / 'w.avi', '-c:v', 'mpeg4', '-g', '1', frames=60).read_bytes()
    source.write_bytes(whole[: int(len(whole) * 0.6)])
    report = restore_video(identity, source, tmp_path / 'out.mp4', SHORT)
    assert 0 < report.frames < 55
    assert any('60' in note and 'truncated' in note for note in report.notes)

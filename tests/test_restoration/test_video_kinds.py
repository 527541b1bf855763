"""Videos of many kinds: tags, changing sizes, deep colour, fields, sound that does not fit, playlists."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration import VideoOptions, restore_video
from attentive_gan.restoration.video import encoding_choice
from attentive_gan.restoration.video.backend import VideoInfo
from attentive_gan.restoration.video.encoding import Encoding, TrialError, try_encoding
from support.clips import decoded, make_clip, stream_hash, streams

pytestmark = pytest.mark.skipif(
    not (shutil.which('ffmpeg') and shutil.which('ffprobe')), reason='ffmpeg is not installed'
)
SHORT = VideoOptions(segment_frames=4)


def _ffmpeg(*words: object) -> None:
    subprocess.run(['ffmpeg', '-v', 'error', '-y', *map(str, words)], check=True)


def _needs_encoder(*names: str) -> None:
    done = subprocess.run(['ffmpeg', '-v', 'error', '-encoders'], capture_output=True, check=True)
    for name in names:
        if f' {name} ' not in done.stdout.decode():
            pytest.skip(f'this ffmpeg has no {name}')


@pytest.mark.parametrize(
    ('transfer', 'primaries'),
    [('gamma28', 'bt470bg'), ('gamma22', 'bt470m'), ('iec61966-2-1', 'smpte432'), ('linear', 'film'),
     ('smpte428', 'smpte428'), ('log100', 'smpte431'), ('bt1361e', 'smpte240m')],
)  # fmt: skip
def test_every_colour_tag_is_kept(
    transfer: str, primaries: str, identity: ImageRestorer, tmp_path: Path
) -> None:
    words = ['-color_trc', transfer, '-color_primaries', primaries, '-colorspace', 'bt470bg']
    source = make_clip(tmp_path / 'a.mp4', *words, frames=2)
    restore_video(identity, source, tmp_path / 'out.mp4', SHORT)
    before, after = streams(source)[0], streams(tmp_path / 'out.mp4')[0]
    for name in ('color_transfer', 'color_primaries', 'color_space'):
        assert before[name] == after[name] != 'unknown', name


def test_later_sizes_are_scaled_to_the_first(identity: ImageRestorer, tmp_path: Path) -> None:
    for number, size in enumerate(('48x32', '64x48')):
        image = f'testsrc2=s={size}:r=10'
        words = ['-an', '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-q:v', '2']
        make_clip(tmp_path / f'{number}.mkv', *words, frames=6, image=image)
    (tmp_path / 'list.txt').write_text("file '0.mkv'\nfile '1.mkv'\n")
    source = tmp_path / 'a.mkv'
    _ffmpeg('-f', 'concat', '-i', tmp_path / 'list.txt', '-c', 'copy', source)
    report = restore_video(identity, source, tmp_path / 'out.mkv', SHORT)
    assert report.frames == 12
    assert any('size or pixel format of the images changes' in note for note in report.notes)
    _ffmpeg('-i', source, '-vf', 'scale=48:32', '-vsync', '0', tmp_path / 'want%02d.png')
    after = decoded(tmp_path / 'out.mkv')
    assert after.shape == (12, 32, 48, 3)
    from PIL import Image

    for number, frame in enumerate(after, 1):
        wanted = np.asarray(Image.open(tmp_path / f'want{number:02d}.png').convert('RGB'), float)
        assert np.abs(wanted - frame).mean() < 12, number


def test_sound_of_unknown_kind_is_left_out_and_said(
    identity: ImageRestorer, tmp_path: Path
) -> None:
    one = make_clip(tmp_path / 'one.mp4', '-c:a', 'aac', frames=5)
    two = tmp_path / 'two.mp4'
    _ffmpeg('-i', one, '-i', one, '-map', '0', '-map', '1:a', '-c', 'copy', two)
    for name, sounds in ((one, 0), (two, 1)):
        content = bytearray(name.read_bytes())
        box = content.rfind(b'esds')
        entry = content.rfind(b'mp4a', 0, box)
        content[entry : entry + 4], content[box : box + 4] = b'apac', b'dapa'
        name.write_bytes(content)
        report = restore_video(identity, name, tmp_path / 'out.mp4', SHORT)
        kinds = [s['codec_name'] for s in streams(tmp_path / 'out.mp4')]
        assert kinds == ['h264', *['aac'] * sounds]
        assert report.audio is bool(sounds)
        (note,) = report.notes
        assert 'apac' in note
        assert 'left out' in note
    assert stream_hash(tmp_path / 'out.mp4', 'a:0') == stream_hash(one.with_name('two.mp4'), 'a:0')


def test_notes_say_what_happened_and_no_more(identity: ImageRestorer, tmp_path: Path) -> None:
    pcm = make_clip(
        tmp_path / 'pcm.avi', '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-c:a', 'pcm_s16le'
    )
    notes = restore_video(identity, pcm, tmp_path / 'pcm.mp4', SHORT).notes
    assert notes == ['sound 1 (pcm_s16le) was encoded again as AAC']
    assert restore_video(identity, pcm, tmp_path / 'pcm.mkv', SHORT).notes == []
    assert streams(tmp_path / 'pcm.mkv')[1]['codec_name'] == 'pcm_s16le'
    _needs_encoder('libvpx-vp9')
    alpha = make_clip(
        tmp_path / 'alpha.webm', '-vf', 'format=rgba,colorchannelmixer=aa=0.5', '-an', '-c:v',
        'libvpx-vp9', '-pix_fmt', 'yuva420p', frames=2,
    )  # fmt: skip
    notes = restore_video(identity, alpha, tmp_path / 'alpha.mp4', SHORT).notes
    assert len(notes) == 1
    assert 'transparency is lost' in notes[0]


@pytest.mark.parametrize('pixels', ['yuv422p', 'yuv444p', 'yuv422p10le'])
def test_chroma_and_depth_are_kept(pixels: str, identity: ImageRestorer, tmp_path: Path) -> None:
    source = make_clip(tmp_path / 'a.mp4', '-pix_fmt', pixels, frames=5)
    report = restore_video(identity, source, tmp_path / 'out.mp4', SHORT)
    assert streams(tmp_path / 'out.mp4')[0]['pix_fmt'] == pixels
    assert any('which some players cannot show' in note for note in report.notes)


@pytest.mark.parametrize(('transfer', 'said'), [('smpte2084', 'PQ'), ('arib-std-b67', 'HLG')])
def test_hdr_is_restored_in_10_bits_with_its_metadata(
    transfer: str, said: str, identity: ImageRestorer, tmp_path: Path
) -> None:
    _needs_encoder('libx265')
    display = 'G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)'
    clip = 'nullsrc=s=96x64:r=10'
    source = make_clip(
        tmp_path / 'a.mp4', '-c:v', 'libx265', '-pix_fmt', 'yuv420p10le', '-colorspace', 'bt2020nc',
        '-vf', 'format=yuv444p10le,geq=lum=64+X*9+N:cb=512:cr=512,scale=out_color_matrix=bt2020',
        '-color_primaries', 'bt2020', '-color_trc', transfer, '-tag:v', 'hvc1', '-crf', '1',
        '-x265-params', f'log-level=none:master-display={display}:max-cll=900,300', frames=6,
        image=clip,
    )  # fmt: skip
    report = restore_video(identity, source, tmp_path / 'out.mp4', VideoOptions(1, 4))
    before, after = streams(source)[0], streams(tmp_path / 'out.mp4')[0]
    for name in ('pix_fmt', 'color_transfer', 'color_primaries', 'color_space', 'nb_read_frames'):
        assert before[name] == after[name], name
    assert [said in note for note in report.notes] == [True]
    assert _first_frame_data(tmp_path / 'out.mp4') == _first_frame_data(source)
    assert 'Mastering' in _first_frame_data(source)
    first, second = (_luma(path) for path in (source, tmp_path / 'out.mp4'))
    assert np.abs(first - second).mean() < 2  # of 1023
    levels = second[:, 32].ravel()
    assert np.mean(levels % 4 != 0) > 0.5  # 8 bits would give multiples of 4


def _luma(path: Path) -> np.ndarray:
    command = ['ffmpeg', '-v', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt', 'gray10le', '-']
    done = subprocess.run(command, check=True, capture_output=True)
    return np.frombuffer(done.stdout, '<u2').reshape(-1, 64, 96).astype(int)


def _first_frame_data(path: Path) -> str:
    command = ['ffprobe', '-v', 'error', '-read_intervals', '%+#1', '-show_entries',
               'frame_side_data', '-select_streams', 'v:0', '-show_frames', '-of', 'csv', path]  # fmt: skip
    text = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    begin = text.find('side_data,Mastering')
    return text[begin:].split('H.26')[0].strip() if begin >= 0 else text


@pytest.mark.parametrize('deinterlace', [True, False])
def test_interlaced_video_is_deinterlaced_and_said(
    deinterlace: bool, identity: ImageRestorer, tmp_path: Path
) -> None:
    image = 'testsrc2=s=48x32:r=50'
    words = [
        '-vf',
        'tinterlace=interleave_top,setfield=tff',
        '-c:v',
        'mpeg2video',
        '-flags',
        '+ildct+ilme',
    ]
    source = make_clip(tmp_path / 'a.mpg', *words, '-q:v', '2', '-an', frames=10, image=image)
    options = VideoOptions(segment_frames=4, deinterlace=deinterlace)
    report = restore_video(identity, source, tmp_path / 'out.mp4', options)
    assert report.frames == 10
    (note,) = (text for text in report.notes if 'interlaced' in text)
    assert ('bwdif' in note) is deinterlace
    words = ['-vf', 'bwdif=mode=send_frame', '-c:v', 'libx264', '-crf', '5']
    _ffmpeg('-i', source, *words, tmp_path / 'whole.mp4')
    distance = np.abs(decoded(tmp_path / 'whole.mp4').astype(int) - decoded(tmp_path / 'out.mp4'))
    assert bool(distance.mean() < 4) is deinterlace, distance.mean()


def test_more_than_10_bits_become_10_and_are_said(identity: ImageRestorer, tmp_path: Path) -> None:
    source = make_clip(tmp_path / 'a.mkv', '-c:v', 'ffv1', '-pix_fmt', 'gray16le', frames=2)
    notes = restore_video(identity, source, tmp_path / 'out.mkv', SHORT).notes
    assert notes == ['the source has more than 10 bits per colour; the result has 10']
    assert streams(tmp_path / 'out.mkv')[0]['pix_fmt'] == 'yuv420p10le'


def test_playlists_are_not_followed(identity: ImageRestorer, tmp_path: Path) -> None:
    secret = make_clip(tmp_path / 'secret.ts', '-c:v', 'mpeg2video', frames=3)
    lists = {
        'hls': f'#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:{secret}\n#EXT-X-ENDLIST\n',
        'concat': f"ffconcat version 1.0\nfile '{secret.name}'\n",
    }
    for name, text in lists.items():
        source = tmp_path / f'{name}.mp4'
        source.write_text(text)
        with pytest.raises(UserError, match=rf'{name}\.mp4.*playlist'):
            restore_video(identity, source, tmp_path / 'out.mp4', SHORT)
    assert not (tmp_path / 'out.mp4').exists()


def test_frames_above_the_limit_are_refused(identity: ImageRestorer, tmp_path: Path) -> None:
    source = make_clip(tmp_path / 'a.mp4', frames=2)
    with pytest.raises(UserError, match=r'a\.mp4 is too large \(48x32\)'):
        restore_video(identity, source, tmp_path / 'out.mp4', VideoOptions(max_pixels=48 * 32 - 1))
    restore_video(identity, source, tmp_path / 'out.mp4', VideoOptions(max_pixels=48 * 32))


def test_a_second_run_on_a_video_ends_at_once(identity: ImageRestorer, tmp_path: Path) -> None:
    source = make_clip(tmp_path / 'a.mp4', frames=6)
    folder = tmp_path / '.out.mp4.restoring'
    folder.mkdir()
    other = os.open(folder, os.O_RDONLY)  # as another process has it
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(UserError, match='another process'):
        restore_video(identity, source, tmp_path / 'out.mp4', SHORT)
    os.close(other)
    assert restore_video(identity, source, tmp_path / 'out.mp4', SHORT).frames == 6
    assert not folder.exists()


def test_an_ffmpeg_without_encoder_is_named_before_the_work(
    identity: ImageRestorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise TrialError('Unknown encoder')

    source = make_clip(tmp_path / 'a.mp4', frames=2)
    monkeypatch.setattr(encoding_choice, 'try_encoding', refuse)
    with pytest.raises(UserError, match='libx264'):
        restore_video(identity, source, tmp_path / 'out.mp4', SHORT)
    assert [path.name for path in tmp_path.iterdir()] == ['a.mp4']


def test_10_bits_without_an_encoder_are_said(
    identity: ImageRestorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_deep(encoding: Encoding, info: VideoInfo, suffix: str) -> None:
        if encoding.deep:
            raise TrialError('no')
        try_encoding(encoding, info, suffix)

    source = make_clip(tmp_path / 'a.mp4', '-pix_fmt', 'yuv420p10le', frames=2)
    monkeypatch.setattr(encoding_choice, 'try_encoding', refuse_deep)
    report = restore_video(identity, source, tmp_path / 'out.mp4', SHORT)
    assert streams(tmp_path / 'out.mp4')[0]['pix_fmt'] == 'yuv420p'
    assert any('the result has 8' in note for note in report.notes)


@pytest.mark.parametrize(
    ('before', 'after'), [('.mov', '.mov'), ('.mov', '.mp4'), ('.mp4', '.mkv')]
)
def test_chapters_time_code_and_metadata_are_kept(
    before: str, after: str, identity: ImageRestorer, tmp_path: Path
) -> None:
    chapters = tmp_path / 'chapters.txt'
    lines = ';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=1\ntitle=one\n'
    chapters.write_text(lines + '[CHAPTER]\nTIMEBASE=1/10\nSTART=1\nEND=2\ntitle=two\n')
    clip, source = make_clip(tmp_path / 'clip.mp4', frames=8), tmp_path / f'a{before}'
    tags = {
        'location': '+27.5+086.5/', 'com.apple.quicktime.model': 'phone', 'comment': 'rain',
        'creation_time': '2024-05-06T07:08:09.000000Z',
    }  # fmt: skip
    words = [word for tag in tags.items() for word in ('-metadata', '='.join(tag))]
    _ffmpeg(
        '-i', clip, '-i', chapters, '-map', '0', '-map_chapters', '1', '-c', 'copy', '-movflags',
        'use_metadata_tags', *words, '-timecode', '01:00:00:00', source,
    )  # fmt: skip
    report = restore_video(identity, source, tmp_path / f'out{after}', SHORT)
    assert report.notes == []
    found = [_tags(path) for path in (source, tmp_path / f'out{after}')]
    assert set(tags) <= set(found[0])
    assert {name: found[1].get(name) for name in tags} == {name: found[0][name] for name in tags}
    codes = [s['tags'] for s in streams(tmp_path / f'out{after}') if s['codec_type'] == 'video']
    assert {k.lower(): v for k, v in codes[0].items()}['timecode'] == '01:00:00:00'
    titles = [_chapters(path) for path in (source, tmp_path / f'out{after}')]
    assert titles[0] == titles[1] == ['one', 'two']


def _tags(path: Path) -> dict[str, str]:
    command = ['ffprobe', '-v', 'error', '-show_format', '-of', 'json', path]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {name.lower(): value for name, value in found['format'].get('tags', {}).items()}


def _chapters(path: Path) -> list[str]:
    command = ['ffprobe', '-v', 'error', '-show_chapters', '-of', 'json', path]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return [chapter['tags']['title'] for chapter in found['chapters']]


def test_what_the_container_cannot_hold_is_said(identity: ImageRestorer, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / 'clip.mkv', '-c:a', 'libvorbis', frames=5)
    (tmp_path / 'font.ttf').write_bytes(b'font')
    source = tmp_path / 'a.mkv'
    _ffmpeg(
        '-i', clip, '-attach', tmp_path / 'font.ttf', '-metadata:s:t', 'mimetype=font/ttf', '-c', 'copy',
        '-metadata', 'director=D', source,
    )  # fmt: skip
    assert restore_video(identity, source, tmp_path / 'out.mkv', SHORT).notes == []
    kinds = [s['codec_type'] for s in streams(tmp_path / 'out.mkv')]
    assert kinds == ['video', 'audio', 'attachment']
    notes = restore_video(identity, source, tmp_path / 'out.mov', SHORT).notes
    assert any('attachment' in note and 'left out' in note for note in notes), notes
    assert any('metadata' in note and 'director' in note for note in notes), notes

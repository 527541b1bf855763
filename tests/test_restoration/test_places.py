"""Where results are written: beside their inputs, into the input folder, by links; and what is no file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attentive_gan import restore
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_header, read_image, read_image_file
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration import BatchOptions, OutputOptions, plan_batch
from support.runs import REPOSITORY, environment

Save = Callable[..., Path]


def names(folder: Path) -> list[str]:
    """Return the files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())


def options(**outputs: object) -> BatchOptions:
    """Return options with some of the outputs'."""
    return BatchOptions(outputs=OutputOptions(**outputs))


def test_a_photo_without_output_is_written_beside_it(
    tmp_path: Path, save: Save, identity_weights: Path
) -> None:
    save(tmp_path / 'photo.jpg')
    words = [
        sys.executable,
        REPOSITORY / 'tools' / 'restore.py',
        'photo.jpg',
        '--weights',
        identity_weights,
    ]
    for code, text in ((0, 'photo_dry.jpg'), (1, 'photo_dry.jpg exists already')):
        done = subprocess.run(
            words, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert text in (done.stdout if code == 0 else done.stderr)
    assert names(tmp_path) == ['photo.jpg', 'photo_dry.jpg']


def test_results_beside_inputs_are_no_inputs_again(
    tmp_path: Path, save: Save, identity: ImageRestorer
) -> None:
    for name in ('a.jpg', 'b.png', 'sundry.png', 'deep/c.png'):
        save(tmp_path / name)
    pattern, again = str(tmp_path / '**' / '*'), options(existing='overwrite')
    for _ in range(2):
        restore(pattern, options=again, restorer=identity)
        expected = ['a.jpg', 'a_dry.jpg', 'b.png', 'b_dry.png', 'deep/c.png', 'deep/c_dry.png']
        assert names(tmp_path) == [*expected, 'sundry.png', 'sundry_dry.png']
    with pytest.raises(UserError, match='-o'):
        plan_batch([tmp_path], None, BatchOptions())


@pytest.mark.fault('C9')
def test_the_input_folder_as_output_folder(
    tmp_path: Path, save: Save, identity: ImageRestorer
) -> None:
    save(tmp_path / 'a.jpg')
    save(tmp_path / 'deep' / 'b.png')
    with pytest.raises(UserError, match=r'would replace its source.*--suffix'):
        plan_batch([tmp_path], tmp_path, BatchOptions())
    for existing in ('error', 'overwrite', 'skip'):
        report = restore(
            tmp_path, tmp_path, options(suffix='_dry', existing=existing), restorer=identity
        )
        assert len(report.outcomes) == 2
        assert names(tmp_path) == ['a.jpg', 'a_dry.jpg', 'deep/b.png', 'deep/b_dry.png']


def test_an_output_folder_above_the_input_folder(
    tmp_path: Path, save: Save, identity: ImageRestorer
) -> None:
    save(tmp_path / 'day' / 'a.png')
    restore(tmp_path / 'day', tmp_path, restorer=identity)
    assert names(tmp_path) == ['a.png', 'day/a.png']


def test_nothing_to_restore_is_an_error_that_says_why(tmp_path: Path, save: Save) -> None:
    folder = tmp_path / 'in'
    folder.mkdir()
    with pytest.raises(UserError, match='nothing to restore; no file was found'):
        plan_batch([folder], tmp_path / 'out', BatchOptions())
    (folder / 'a.txt').write_text('text')
    (folder / 'b.cr2').write_text('raw')
    with pytest.raises(UserError, match=r'no image or video by name: 1 \.cr2, 1 \.txt\. .*\.png'):
        plan_batch([folder], tmp_path / 'out', BatchOptions())


@pytest.mark.fault('C9')
def test_links_out_of_the_output_folder_are_not_followed(tmp_path: Path, save: Save) -> None:
    save(tmp_path / 'in' / 'sub' / 'a.png')
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'sub').symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(UserError, match='symbolic link out of the output folder'):
        plan_batch([tmp_path / 'in'], tmp_path / 'out', BatchOptions())
    (tmp_path / 'linked').symlink_to(tmp_path / 'elsewhere')  # the output folder itself may be one
    plan_batch([tmp_path / 'in'], tmp_path / 'linked', BatchOptions())


def test_outputs_that_look_like_files_do_not_become_folders(tmp_path: Path, save: Save) -> None:
    source = save(tmp_path / 'in' / 'a.png')
    with pytest.raises(UserError, match=r'out\.xyz.*\.png.*make it first'):
        plan_batch([source], tmp_path / 'out.xyz', BatchOptions())
    save(tmp_path / 'in' / 'b.png')
    with pytest.raises(UserError, match=r'out\.png names a file, but there are 2 inputs'):
        plan_batch([tmp_path / 'in'], tmp_path / 'out.png', BatchOptions())
    (tmp_path / 'out.xyz').mkdir()
    plan_batch([source], tmp_path / 'out.xyz', BatchOptions())
    plan_batch([tmp_path / 'in'], tmp_path / 'trip.dry', BatchOptions())


def test_pipes_devices_and_huge_files_are_named_at_once(
    tmp_path: Path, save: Save, identity: ImageRestorer
) -> None:
    folder = tmp_path / 'in'
    save(folder / 'a.png')
    os.mkfifo(folder / 'pipe.png')
    os.mkfifo(folder / 'film.mp4')
    (folder / 'null.mkv').symlink_to('/dev/null')
    (folder / 'zero.png').symlink_to('/dev/zero')
    with (folder / 'huge.png').open('wb') as stream:
        stream.truncate(20 * 2**30)  # a hole
    report = restore(folder, tmp_path / 'out', restorer=identity)
    reasons = {Path(outcome.input).stem: outcome.reason for outcome in report.of('failed')}
    assert sorted(reasons) == ['film', 'huge', 'null', 'pipe', 'zero']
    for name in ('film', 'null', 'pipe', 'zero'):
        assert 'no regular file' in reasons[name]
    (outcome,) = restore(folder / 'film.mp4', tmp_path / 'film', restorer=identity).outcomes
    assert 'no regular file' in outcome.reason
    assert '20480 MiB' in reasons['huge']
    assert '--max-megapixels' in reasons['huge']
    assert len(report.of('done')) == 1
    for reader in (read_header, read_image):
        with pytest.raises(UserError, match='no regular file'):
            reader(folder / 'pipe.png')


def test_an_unexpected_error_of_a_decoder_ends_its_own_file_only(
    tmp_path: Path, save: Save, identity: ImageRestorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('a.png', 'b.tif', 'c.png'):
        save(tmp_path / 'in' / name)

    def failing(reader: Callable) -> Callable:
        def read(path: Path, *words: object) -> object:
            if path.suffix == '.tif':
                raise AssertionError('unheard of')
            return reader(path, *words)

        return read

    for name, reader in (('read_header', read_header), ('read_image_file', read_image_file)):
        monkeypatch.setattr(f'attentive_gan.restoration.images.{name}', failing(reader))
    report = restore(tmp_path / 'in', tmp_path / 'out', restorer=identity)
    assert [outcome.state for outcome in report.outcomes] == ['done', 'failed', 'done']
    assert 'unheard of' in report.outcomes[1].reason

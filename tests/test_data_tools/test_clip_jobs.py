"""Rendered clips: complete, repeatable, resumed, and seen through by the checker."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from attentive_gan.cli import render
from attentive_gan.data_tools.clip_jobs import ClipOptions
from attentive_gan.data_tools.dataset_check import check, splits_of
from attentive_gan.data_tools.render_jobs import CleanSource
from attentive_gan.data_tools.rendered_dataset import render_dataset, scene_sources
from attentive_gan.datasets.camera_paths import MOVEMENTS, look, scene_size
from attentive_gan.datasets.clean_images import DrawnScene
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image, write_image
from attentive_gan.utils.digests import digest
from attentive_gan.utils.manifest import read_manifest
from raindrop_renderer import WATERS

SIZE = (64, 96)
SCENES = DrawnScene(0, scene_size(SIZE))
OPTIONS = ClipOptions(3, 4, SIZE, ('pan', 'still', 'cut'))


def clips(out, options=OPTIONS, **more):
    return render_dataset(out, scene_sources(3, SCENES), options, **more)


def files_of(out):
    return {
        path.relative_to(out).as_posix(): digest(path) for path in out.rglob('*') if path.is_file()
    }


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp('clips')
    assert clips(out).rendered == 3
    return out


def test_layout_and_record(made):
    records = read_manifest(made / 'manifest.json')['images']
    assert [(r['movement'], r['water']) for r in records] == [
        ('pan', 'fixed'), ('still', 'forming'), ('cut', 'running'),
    ]  # fmt: skip
    names = {
        f'{folder}/{clip}/{frame}_{ending}.png'
        for folder, ending in zip(
            ('data', 'gt', 'mask', 'alpha'), ('rain', 'clean', 'mask', 'alpha'), strict=True
        )
        for clip in range(3)
        for frame in range(4)
    }
    written = files_of(made)
    assert set(written) == names | {'manifest.json', 'contact_sheet.png'}
    assert {k: v for r in records for k, v in r['sha256'].items()}.items() <= written.items()


def test_the_true_frames_are_those_of_the_path(made):
    for frame in range(4):
        truth = read_image(made / f'gt/0/{frame}_clean.png')
        seen = look(lambda _: SCENES.draw(0), 'pan', frame, SIZE)
        np.testing.assert_array_equal(truth, seen)
    still = [
        read_image(made / f'{name}.png').astype(int) for name in ('gt/1/0_clean', 'gt/1/3_clean')
    ]
    np.testing.assert_array_equal(*still)


def test_noise_is_in_the_rainy_frames_alone(made, tmp_path):
    quiet = ClipOptions(1, 2, SIZE, ('still',), ('fixed',), noise=0)
    clips(tmp_path / 'quiet', quiet)
    clips(tmp_path / 'noisy', ClipOptions(1, 2, SIZE, ('still',), ('fixed',), noise=2))
    first, second, noisy = (
        read_image(tmp_path / f'{name}_rain.png').astype(int)
        for name in ('quiet/data/0/0', 'quiet/data/0/1', 'noisy/data/0/1')
    )
    np.testing.assert_array_equal(first, second)
    dark = (second > 10) & (second < 245)
    assert 1.8 < (noisy - second)[dark].std() < 2.2


def test_the_checker_finds_no_fault_and_training_can_use_it(made):
    result = check(splits_of(made), made)
    assert (len(result.records), result.faults) == (12, [])


def test_what_is_missing_is_made_again(made, tmp_path):
    out = tmp_path / 'out'
    shutil.copytree(made, out)
    (out / 'data/1/2_rain.png').unlink()
    (out / 'gt/2/0_clean.png').write_bytes(b'lost')
    assert (clips(out, workers=2).rendered, files_of(out)) == (2, files_of(made))


def test_other_options_need_consent_and_leave_nothing_behind(made, tmp_path):
    out = tmp_path / 'out'
    shutil.copytree(made, out)
    fewer = ClipOptions(2, 3, SIZE, ('pan',))
    with pytest.raises(UserError, match='other options'):
        clips(out, fewer)
    clips(out, fewer, overwrite=True)
    assert {path.name for path in (out / 'data').iterdir()} == {'0', '1'}
    assert len(list((out / 'gt').rglob('*.png'))) == 6


def test_photos_are_crossed_too_and_small_ones_named(tmp_path):
    height, width = scene_size(SIZE)
    photo = np.random.default_rng(0).integers(0, 256, (height + 40, width, 3), np.uint8)
    write_image(tmp_path / 'large.png', photo)
    write_image(tmp_path / 'small.png', photo[:50])
    sources = [CleanSource(name, tmp_path / name) for name in ('large.png', 'small.png')]
    options = ClipOptions(2, 1, SIZE, ('pan',))
    result = render_dataset(tmp_path / 'out', sources, options)
    assert (result.rendered, len(result.failures)) == (1, 1)
    assert f'{width}x50, smaller than the wanted {width}x{height}' in result.failures[0]
    write_image(tmp_path / 'large.png', 255 - photo)
    assert render_dataset(tmp_path / 'out', sources[:1] * 2, options, overwrite=True).rendered == 2


@pytest.mark.parametrize('movement', MOVEMENTS)
def test_paths_lead_back_and_stay_within_the_scene(movement):
    # 255 at the scene's edges: no view reaches them, but that of a drive's ground, which is mirrored.
    scene = np.zeros((*scene_size(SIZE), 3), np.uint8)
    scene[[0, -1]] = scene[:, [0, -1]] = 255
    views = [look(lambda _: scene, movement, n, SIZE) for n in range(47)]
    assert {(view.shape, view.dtype) for view in views} == {((*SIZE, 3), np.dtype(np.uint8))}
    if movement != 'drive':
        assert max(view.max() for view in views) == 0


def test_a_cut_shows_another_scene_and_others_move():
    flat = [np.full((*scene_size(SIZE), 3), level, np.uint8) for level in (0, 200)]
    levels = [look(flat.__getitem__, 'cut', n, SIZE).max() for n in (0, 11, 12, 23, 24)]
    assert levels == [0, 0, 200, 200, 0]
    for movement in MOVEMENTS:
        views = [look(lambda _: SCENES.draw(0), movement, n, SIZE) for n in (10, 11)]
        assert np.array_equal(*views) == (movement == 'still')


def test_the_command_line_has_all_movements_and_water():
    assert (render._MOVEMENTS, render._WATERS) == (MOVEMENTS, WATERS)

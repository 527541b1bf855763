"""Rendered data sets are complete, repeatable, continued after any end, and never mixed or lost."""

from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from attentive_gan.data_tools.render_jobs import CleanSource
from attentive_gan.data_tools.render_journal import JOURNAL
from attentive_gan.data_tools.rendered_dataset import (
    RenderedDatasetOptions,
    photo_sources,
    render_dataset,
    scene_sources,
)
from attentive_gan.datasets.clean_images import DrawnScene
from attentive_gan.datasets.masks import raindrop_mask
from attentive_gan.datasets.raindrop_dataset import RaindropDataset
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image, write_image
from attentive_gan.utils.manifest import read_manifest
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.parameters import RaindropParameters
from raindrop_renderer.raindrops import render_raindrops

SCENES = DrawnScene(0, (32, 48))
OPTIONS = RenderedDatasetOptions(seed=3)


@pytest.fixture
def photos(tmp_path):
    """Three good photos, of which one is grey, and three that cannot be used."""
    root = tmp_path / 'photos'
    random = np.random.default_rng(0)
    for name, size in (('a.png', (40, 60)), ('sub/b.jpg', (50, 40)), ('tiny.png', (9, 30))):
        write_image(root / name, random.integers(0, 256, (*size, 3), np.uint8))
    write_image(root / 'grey.png', random.integers(0, 256, (36, 44), np.uint8))
    (root / 'empty.png').touch()
    (root / 'cut.png').write_bytes((root / 'a.png').read_bytes()[:900])
    return root


def scenes(out, count=4, options=OPTIONS, **more):
    return render_dataset(out, scene_sources(count, SCENES), options, **more)


def files_of(out):
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob('*'))
        if path.is_file()
    }


def test_layout_and_content(tmp_path):
    result = scenes(tmp_path)
    assert (result.kept, result.rendered, result.failures) == (0, 4, [])
    dataset = RaindropDataset(str(tmp_path), [{'type': 'LoadRainyCleanPair'}])
    assert dataset.names == ['0', '1', '2', '3']
    manifest = read_manifest(tmp_path / 'manifest.json')
    written = files_of(tmp_path)
    for number, record in enumerate(manifest['images']):
        clean = SCENES.draw(number)
        parameters = RaindropParameters.from_record(record['parameters'])
        truth = render_raindrops(clean, parameters)
        sample = dataset[number]
        np.testing.assert_array_equal(sample['img'], truth.rainy)
        np.testing.assert_array_equal(sample['gt'], truth.clean)
        mask = read_image(tmp_path / f'mask/{number}_mask.png')[..., 0]
        np.testing.assert_array_equal(mask, raindrop_mask(truth.rainy, truth.clean))
        alpha = read_image(tmp_path / f'alpha/{number}_alpha.png')[..., 0]
        assert np.abs(alpha / 255 - truth.alpha).max() <= 0.5 / 255 + 1e-6
        assert record['sha256'].items() <= written.items()
        assert record['source'] == f'scene_{number}'
        error = np.mean((truth.rainy.astype(float) - truth.clean) ** 2)
        assert record['statistics']['psnr'] == round(10 * np.log10(255**2 / error), 4)
    assert set(written) == {'manifest.json', 'contact_sheet.png'} | {
        name for record in manifest['images'] for name in record['sha256']
    }
    assert manifest['made_from']['seed'] == 3
    assert set(manifest['versions']) == {'python', 'numpy', 'opencv'}


def test_images_do_not_depend_on_their_company(tmp_path, photos):
    options = RenderedDatasetOptions(per_image=2)
    sources = [s for s in photo_sources(photos, tmp_path) if s.name in ('a.png', 'sub/b.jpg')]
    render_dataset(tmp_path / 'one', sources, options)
    render_dataset(tmp_path / 'alone', sources[1:], options)
    rainy = [
        read_image(tmp_path / name) for name in ('one/data/2_rain.png', 'alone/data/0_rain.png')
    ]
    np.testing.assert_array_equal(*rainy)
    four = {files_of(tmp_path / 'one')[f'data/{n}_rain.png'] for n in range(4)}
    assert len(four) == 4


def test_bad_photos_are_named_and_the_good_ones_rendered(tmp_path, photos):
    out = photos / 'out'  # inside of the folder of photos
    result = render_dataset(out, photo_sources(photos, out), OPTIONS)
    assert result.rendered == 3
    reasons = {'empty.png': 'is empty', 'cut.png': 'truncated or damaged', 'tiny.png': '16x16'}
    assert len(result.failures) == 3
    for name, reason in reasons.items():
        assert [f for f in result.failures if f'{photos / name}' in f and reason in f]
    manifest = read_manifest(out / 'manifest.json')
    assert manifest['failures'] == result.failures
    assert [one['source'] for one in manifest['images']] == ['a.png', 'grey.png', 'sub/b.jpg']
    grey = read_image(out / 'gt' / f'{manifest["images"][1]["number"]}_clean.png')
    assert grey.shape == (36, 44, 3)
    before = files_of(out)
    write_image(photos / 'tiny.png', np.zeros((20, 30, 3), np.uint8))  # usable from now on
    again = render_dataset(out, photo_sources(photos, out), OPTIONS)
    assert (again.kept, again.rendered, len(again.failures)) == (3, 1, 2)
    kept = {
        name: value for name, value in before.items() if name.endswith(('rain.png', 'alpha.png'))
    }
    assert kept.items() <= files_of(out).items()


def test_nothing_to_do(tmp_path):
    scenes(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*.*')}
    result = scenes(tmp_path)
    assert (result.kept, result.rendered) == (4, 0)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*.*')} == times


class Interrupted(Exception):  # noqa: N818
    pass


def interrupt_after(count):
    def progress(loop, total):
        for number, one in enumerate(loop):
            if number == count:
                raise Interrupted
            yield one

    return progress


def test_an_interrupted_run_goes_on(tmp_path):
    scenes(tmp_path / 'whole', 5)
    with pytest.raises(Interrupted):
        scenes(tmp_path / 'out', 5, progress=interrupt_after(2))
    assert not (tmp_path / 'out' / 'manifest.json').exists()
    # What a kill leaves: half an image beside its place, a pair without partner, half a line.
    (tmp_path / 'out/gt/.3_clean.png.77.tmp').write_bytes(b'half')
    write_image(tmp_path / 'out/gt/4_clean.png', np.zeros((5, 5, 3), np.uint8))
    with (tmp_path / 'out' / JOURNAL).open('a') as journal:
        journal.write('{"number": 2, "sour')
    result = scenes(tmp_path / 'out', 5)
    assert (result.kept, result.rendered) == (2, 3)
    assert files_of(tmp_path / 'out') == files_of(tmp_path / 'whole')


def test_damaged_and_missing_files_are_made_again(tmp_path, photos):
    scenes(tmp_path / 'out')
    before = files_of(tmp_path / 'out')
    (tmp_path / 'out/alpha/1_alpha.png').unlink()
    (tmp_path / 'out/data/3_rain.png').write_bytes(b'x')
    result = scenes(tmp_path / 'out')
    assert (result.kept, result.rendered) == (2, 2)
    assert files_of(tmp_path / 'out') == before
    source = [CleanSource('a.png', photos / 'a.png')]
    render_dataset(tmp_path / 'p', source, OPTIONS)
    write_image(photos / 'a.png', np.zeros((40, 60, 3), np.uint8))
    assert render_dataset(tmp_path / 'p', source, OPTIONS).rendered == 1


@pytest.mark.parametrize('finished', [True, False])
def test_other_options_do_not_mix(tmp_path, finished):
    try:
        scenes(tmp_path, progress=interrupt_after(9 if finished else 2))
    except Interrupted:
        assert not finished
    before = files_of(tmp_path)
    wet = RenderedDatasetOptions(seed=4, raindrops=RaindropOptions(level='heavy'))
    with pytest.raises(UserError, match=r'other options \(seed, raindrops\).*--overwrite'):
        scenes(tmp_path, options=wet)
    with pytest.raises(UserError, match=r'other options \(images\)'):
        scenes(tmp_path, count=3)
    assert files_of(tmp_path) == before
    result = scenes(tmp_path, count=3, options=wet, overwrite=True)
    assert (result.kept, result.rendered) == (0, 3)
    assert len(list((tmp_path / 'data').iterdir())) == 3
    scenes(tmp_path / 'fresh', count=3, options=wet)
    fresh = files_of(tmp_path / 'fresh')
    assert fresh.items() <= files_of(tmp_path).items()


def test_images_of_others_are_left_alone(raindrop_set, tmp_path):
    root = raindrop_set((0, 1))
    before = files_of(root)
    for overwrite in (False, True):
        with pytest.raises(UserError, match=r'did not write, such as data/0_rain\.png'):
            scenes(root, overwrite=overwrite)
    assert files_of(root) == before


def test_a_renderer_that_changed_does_not_mix(tmp_path):
    scenes(tmp_path, 1)
    manifest = read_manifest(tmp_path / 'manifest.json')
    manifest['made_from']['renderer']['raindrops.py'] = 'other'
    (tmp_path / 'manifest.json').write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r'other options \(renderer\)'):
        scenes(tmp_path, 1)
    assert scenes(tmp_path, 1, overwrite=True).rendered == 1


@pytest.mark.parametrize('kind', ['data', 'gt', 'mask', 'alpha', 'journal', 'manifest'])
def test_a_full_disk_leaves_no_half_written_file(tmp_path, monkeypatch, kind):
    out = tmp_path / 'out'
    scenes(tmp_path / 'whole')
    real_replace, real_open = Path.replace, Path.open

    def full(path):
        raise OSError(errno.ENOSPC, 'No space left on device', str(path))

    def replace(self, target):
        last = '/manifest.json' if kind == 'manifest' else f'/{kind}/2_'
        return full(target) if last in str(target) else real_replace(self, target)

    def opened(self, mode='r', *args, **kwargs):
        if kind == 'journal' and mode == 'a' and (out / 'alpha/2_alpha.png').exists():
            full(self)
        return real_open(self, mode, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'replace', replace)
        patch.setattr(Path, 'open', opened)
        with pytest.raises(UserError, match=r'cannot be written \(No space left on device\)'):
            scenes(out)
    present = files_of(out)
    whole = files_of(tmp_path / 'whole')
    assert {k: v for k, v in present.items() if k != JOURNAL}.items() <= whole.items()
    if kind in ('data', 'gt', 'mask', 'alpha'):
        assert not [name for name in present if '/2_' in name]
    result = scenes(out)
    assert result.kept == (4 if kind == 'manifest' else 2)
    assert files_of(out) == whole


def test_sizes(tmp_path):
    options = RenderedDatasetOptions(size=(24, 24))
    image = np.zeros((48, 96, 3), np.uint8)
    image[:, 24:72] = 200  # the middle square
    write_image(tmp_path / 'in.png', image)
    write_image(tmp_path / 'small.png', image[:20])
    sources = [CleanSource(name, tmp_path / name) for name in ('in.png', 'small.png')]
    dry = RaindropOptions(coverage_scale=0, mist_scale=0)
    result = render_dataset(
        tmp_path / 'out', sources, RenderedDatasetOptions(size=options.size, raindrops=dry)
    )
    assert result.rendered == 1
    assert 'small.png: The image is 96x20, smaller than the wanted 24x24' in result.failures[0]
    clean = read_image(tmp_path / 'out/gt/0_clean.png')
    assert clean.shape == (24, 24, 3)
    assert clean.min() == clean.max() == 200


@pytest.mark.parametrize(
    'make',
    [
        lambda: RenderedDatasetOptions(per_image=0),
        lambda: RenderedDatasetOptions(seed=-1),
        lambda: RenderedDatasetOptions(size=(8, 40)),
        lambda: scene_sources(0, SCENES),
        lambda: render_dataset(Path('never'), scene_sources(1, SCENES), OPTIONS, workers=0),
    ],
)
def test_wrong_options_are_refused(make):
    with pytest.raises(UserError):
        make()
    assert not Path('never').exists()

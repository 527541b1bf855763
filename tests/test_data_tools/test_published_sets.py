"""Published data sets by name: counts, missing parts, and scenes that two data sets share."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from attentive_gan.cli.check import PUBLISHED_SETS
from attentive_gan.cli.main import build_parser
from attentive_gan.data_tools import published_sets
from attentive_gan.data_tools.overlap import overlap_faults, small_image
from attentive_gan.data_tools.published_sets import PUBLISHED, count_faults, published_parts
from attentive_gan.datasets import RaindropDataset
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image
from PIL import Image
from support.published_layouts import (
    write_allweather,
    write_input_target,
    write_raindrop,
    write_raindrop_clarity,
    write_rainds,
)

WRITERS = {
    'raindrop': (write_raindrop, [3, 2, 4]),
    'raindrop_clarity': (write_raindrop_clarity, [6, 6, 6, 6]),
    'rainds': (write_rainds, [3] * 6 + [6] * 6),
    'uav_rain1k': (write_input_target, [3, 2]),
    'allweather': (write_allweather, [4, 3]),
}


def test_the_command_line_names_every_set():
    assert set(PUBLISHED_SETS) == set(PUBLISHED) == set(WRITERS)


@pytest.mark.parametrize('name', WRITERS)
def test_every_part_is_found_and_counted(tmp_path, name):
    write, expected = WRITERS[name]
    parts, notes = published_parts(name, write(tmp_path))
    assert not notes
    found = []
    for part in parts:
        pairs, faults = part.dataset(tmp_path).find_pairs()
        assert not faults
        found.append(len(pairs))
    assert found == expected
    faults = list(count_faults(parts, found))
    stated = [part for part in parts if part.pairs]
    assert len(faults) == len(stated)
    right = [part.pairs[-1] if part.pairs else 7 for part in parts]
    assert not list(count_faults(parts, right))


def test_missing_parts_are_notes_and_missing_sets_errors(tmp_path):
    write_raindrop_clarity(tmp_path)
    shutil.rmtree(tmp_path / 'DayRainDrop_Test' / 'Clear')
    parts, notes = published_parts('raindrop_clarity', tmp_path)
    assert notes == ['not there: DayRainDrop_Test/Clear']
    assert len(parts) == 3
    with pytest.raises(UserError, match='has no part of uav_rain1k; expected: train/target'):
        published_parts('uav_rain1k', tmp_path)


def pairs_of(root):
    return RaindropDataset(data_root=str(root), lazy_init=True).find_pairs()[0]


def smooth(root, name, seed, quality=None):
    """Write a pair of smooth images, as photos are."""
    low = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    image = Image.fromarray(low).resize((96, 72), Image.Resampling.BICUBIC)
    rainy = image.copy()
    rainy.paste((255, 255, 255), (10, 10, 20, 20))
    suffix, options = ('png', {}) if quality is None else ('jpg', {'quality': quality})
    for folder, kind, content in (('gt', 'clean', image), ('data', 'rain', rainy)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        content.save(root / folder / f'{name}_{kind}.{suffix}', **options)


def test_scenes_of_both_are_found_in_other_names_and_formats(tmp_path):
    for number in range(5):
        smooth(tmp_path / 'train', number, number)
        smooth(tmp_path / 'test', number + 50, number + 100)
    assert not overlap_faults(pairs_of(tmp_path / 'train'), pairs_of(tmp_path / 'test'))
    smooth(tmp_path / 'test', 99, 3, quality=60)
    (fault,) = overlap_faults(pairs_of(tmp_path / 'train'), pairs_of(tmp_path / 'test'))
    assert 'train/gt/3_clean.png and' in fault.where
    assert 'test/gt/99_clean.jpg' in fault.where


def test_images_of_one_colour_are_no_scene():
    assert small_image(np.full((40, 40, 3), 7, np.uint8)) is None


@pytest.mark.shared
def test_photos_are_told_apart_and_cut_ones_are_found(shared):
    files = sorted((shared / 'data' / 'clean_photos' / 'kodak').iterdir())[:12]
    whole = np.stack([small_image(read_image(file)) for file in files])
    cut = np.stack([small_image(read_image(file)[4:-4, 4:-4]) for file in files])
    alike = whole @ cut.T
    assert alike.diagonal().min() > 0.97
    assert (alike - np.diag(alike.diagonal())).max() < 0.9


def main(words):
    args = build_parser(words).parse_args(words)
    return args.run(args)


def test_the_command_counts_and_compares(tmp_path, capsys, monkeypatch):
    part = published_sets.PublishedPart('train', 'data', RaindropDataset, {}, (3,))
    monkeypatch.setitem(PUBLISHED, 'raindrop', (part, PUBLISHED['raindrop'][1]))
    for number in range(3):
        smooth(tmp_path / 'set' / 'train', number, number)
    smooth(tmp_path / 'other', 0, 2)
    out = ['--out', str(tmp_path / 'out')]
    check = ['check', str(tmp_path / 'set'), '--published', 'raindrop', *out]
    assert main(check) == 0
    text = capsys.readouterr().out
    assert 'not there: test_a/data' in text
    assert 'no faults' in text
    assert main([*check, '--against', str(tmp_path / 'other')]) == 1
    text = capsys.readouterr().out.replace('\n', ' ')
    assert 'fault: a scene is in both data sets' in text
    smooth(tmp_path / 'set' / 'train', 3, 3)
    assert main(check) == 1
    assert 'train has 4, published are 3' in capsys.readouterr().out
    with pytest.raises(UserError, match='--published has folders of its own'):
        main([*check, '--folders', 'a', 'b'])

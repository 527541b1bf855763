"""The embedded data set is repeatable, complete, and never drawn over other people's files."""

from __future__ import annotations

import json
from itertools import islice

import pytest
from attentive_gan.datasets import (
    DrawnDatasetOptions,
    RaindropDataset,
    draw_dataset,
    is_complete,
    read_manifest,
)
from attentive_gan.errors import UserError

SMALL = DrawnDatasetOptions(train_pairs=3, test_pairs=2, width=32, height=24, seed=1)


def drawn(out, options=SMALL):
    assert len(list(draw_dataset(out, options))) == options.train_pairs + options.test_pairs
    return read_manifest(out / 'manifest.json')


def test_layout_is_the_published_one(tmp_path):
    drawn(tmp_path)
    train, test = (
        RaindropDataset(data_root=str(tmp_path / split)) for split in ('train', 'test_a')
    )
    assert (train.names, test.names) == (['0', '1', '2'], ['0', '1'])


def test_same_options_same_files_and_other_seeds_other_files(tmp_path):
    first, second = drawn(tmp_path / 'a'), drawn(tmp_path / 'b')
    assert first == second
    digests = list(first['sha256'].values())
    assert len(set(digests)) == len(digests) == 10  # no scene twice, test scenes are new ones
    other = drawn(tmp_path / 'c', DrawnDatasetOptions(3, 2, 32, 24, seed=2))
    assert not set(digests) & set(other['sha256'].values())


def test_more_pairs_keep_the_first_ones(tmp_path):
    few = drawn(tmp_path / 'a')['sha256']
    many = drawn(tmp_path / 'b', DrawnDatasetOptions(4, 3, 32, 24, seed=1))['sha256']
    assert few.items() <= many.items()


def test_completeness_is_seen(tmp_path):
    assert not is_complete(tmp_path, SMALL)
    drawn(tmp_path)
    assert is_complete(tmp_path, SMALL)
    assert not is_complete(tmp_path, DrawnDatasetOptions(3, 2, 32, 24, seed=2))
    file = tmp_path / 'train' / 'gt' / '1_clean.png'
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    assert not is_complete(tmp_path, SMALL)
    file.unlink()
    assert not is_complete(tmp_path, SMALL)
    file.write_bytes(content)
    assert is_complete(tmp_path, SMALL)
    (tmp_path / 'train' / 'gt' / '9_clean.png').write_bytes(content)
    assert not is_complete(tmp_path, SMALL)


def test_pictures_of_an_older_renderer_are_drawn_anew(tmp_path):
    manifest = drawn(tmp_path)
    manifest['made_from']['rendering']['simple_drops.py'] = 'other'
    (tmp_path / 'manifest.json').write_text(json.dumps(manifest))
    assert not is_complete(tmp_path, SMALL)
    drawn(tmp_path)
    assert is_complete(tmp_path, SMALL)


def test_fewer_pairs_leave_nothing_of_the_larger_set(tmp_path):
    drawn(tmp_path, DrawnDatasetOptions(4, 3, 32, 24, seed=1))
    drawn(tmp_path)
    assert is_complete(tmp_path, SMALL)


def test_interrupted_run_is_not_complete_and_can_be_repeated(tmp_path):
    list(islice(draw_dataset(tmp_path, SMALL), 2))
    assert not is_complete(tmp_path, SMALL)
    drawn(tmp_path)
    assert is_complete(tmp_path, SMALL)


def test_pictures_of_others_are_left_alone(raindrop_set, tmp_path):
    root = raindrop_set((0, 1))
    before = {file: file.read_bytes() for file in root.rglob('*.png')}
    with pytest.raises(UserError, match=r'did not write, such as train/data/0_rain\.png'):
        list(draw_dataset(tmp_path, SMALL))
    assert {file: file.read_bytes() for file in root.rglob('*.png')} == before


@pytest.mark.parametrize('manifest', ['no json', '[1]'])
def test_broken_manifest_is_named(tmp_path, manifest):
    (tmp_path / 'manifest.json').write_text(manifest)
    with pytest.raises(UserError, match=r'manifest\.json is not a manifest'):
        is_complete(tmp_path, SMALL)


@pytest.mark.parametrize(
    ('field', 'value'), [('train_pairs', 0), ('test_pairs', -1), ('width', 15), ('seed', -1)]
)
def test_wrong_options_are_refused(tmp_path, field, value):
    with pytest.raises(UserError):
        list(draw_dataset(tmp_path, DrawnDatasetOptions(**{field: value})))
    assert not list(tmp_path.iterdir())


def test_manifest_names_every_file(tmp_path):
    drawn(tmp_path)
    manifest = json.loads((tmp_path / 'manifest.json').read_text())
    files = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob('*.png')}
    assert set(manifest['sha256']) == files

"""Results are found by name, by zeros and text around it, and by scene; what is ambiguous is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from attentive_gan.datasets.pairing import Pair
from attentive_gan.errors import UserError
from attentive_gan.leaderboard import open_data
from attentive_gan.leaderboard.result_names import match_results
from support.published_layouts import write_raindrop_clarity


def pairs_of(*numbers, rainy='{}_rain', clean='{}_clean'):
    return [
        Pair(str(n), Path(f'data/{rainy.format(n)}.png'), Path(f'gt/{clean.format(n)}.png'))
        for n in numbers
    ]


PAIRS = pairs_of(0, 1, 12, 101)


def results(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


@pytest.mark.parametrize(
    ('names', 'rule'),
    [
        (['0.png', '1.png', '12.png', '101.png'], ''),
        (['0_rain.png', '1_rain.jpg', '12_rain.png', '101_rain.png'], ''),
        (['0_clean.png', '1.png', '12_rain.png', '101.png'], ''),
        (['000.png', '001.png', '012.png', '101.png'], '<name>'),
        (['0_rain_out.png', '1_rain_out.png', '12_rain_out.png', '101_rain_out.png'], '<name>'),
        (
            ['000_restored.png', '001_restored.png', '012_restored.png', '101_restored.png'],
            '_restored',
        ),
        (['img00000.png', 'img00001.png', 'img00012.png', 'img00101.png'], 'img<name>'),
        (['2-0-x4.png', '2-1-x4.png', '2-12-x4.png', '2-101-x4.png'], '2-<name>-x4'),
    ],
)
def test_names_are_matched_by_rule(tmp_path, names, rule):
    matched = match_results(PAIRS, results(tmp_path / 'r', *names))
    assert [matched.files[pair.name].name for pair in PAIRS] == names
    assert rule in matched.rule
    assert bool(rule) == bool(matched.rule)
    assert matched.unused == 0


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        (['0.png', '1.png', '12.png'], 'lacks 1 of 4 images: 101_rain'),
        (['00.png', '01.png', '12.png'], 'lacks 3 of 4 images'),
        (['0.png', '0.jpg', '1.png', '12.png', '101.png'], r'0\.jpg and 0\.png for one image, 0'),
        (['0.png', '0_rain.png', '1.png', '12.png', '101.png'], 'for one image, 0; remove one'),
        (['a0.png', 'a1.png', 'a12.png', 'b101.png'], 'lacks 4 of 4'),
        # 10 is no number of a pair, and no name with something after it.
        (['10.png', '11.png', '112.png', '1101.png'], 'lacks 4 of 4'),
        (
            [f'{n}_{kind}.png' for n in (0, 1, 12, 101) for kind in ('out', 'mask')],
            r'0_out\.png and 0_mask\.png may both be the result of 0|0_mask\.png and 0_out\.png may',
        ),
        (
            [f'{n}_rain{end}.png' for n in (0, 1, 12, 101) for end in ('', '_dry')],
            r'0_rain\.png and 0_rain_dry\.png may both be the result of 0',
        ),
        (
            [f'{n}_{kind}.png' for n in (0, 1, 12, 101) for kind in ('rain', 'out')],
            r'0_rain\.png and 0_out\.png may both be the result of 0',
        ),
        (
            [f'scene{scene}/{n}.png' for n in (0, 1, 12, 101) for scene in 'AB'],
            r'r: sceneA/0\.png and sceneB/0\.png may both be the result of 0',
        ),
        (
            [f'{kind}/{n}_rain.png' for n in (0, 1, 12, 101) for kind in ('data', 'dry')],
            r'data/0_rain\.png and dry/0_rain\.png may both be the result of 0',
        ),
        (
            [f's/{n}.png' for n in (0, 1, 12, 101)] + ['s/01.png'],
            r's/0?1\.png and s/0?1\.png for one image; remove one',
        ),
        (['0.png', '1.png', '01.png', '12.png', '101.png'], r'1\.png and 01\.png for one image, 1;'),
        (['0.png', '1.png', '012_rain.png', '12.png', '101.png'], r'12\.png and 012_rain\.png for one'),
        (['00.png', '000.png', '01.png', '12.png', '101.png'], r'000?\.png and 000?\.png for one image'),
        ([], 'lacks 4 of 4'),
    ],
)  # fmt: skip
def test_what_is_missing_or_ambiguous_is_refused(tmp_path, names, message):
    (tmp_path / 'r').mkdir()
    with pytest.raises(UserError, match=message):
        match_results(PAIRS, results(tmp_path / 'r', *names))


def test_other_files_beside_results_are_counted(tmp_path):
    """What gives only some pairs a second file is no second set of results."""
    names = [f'{n}.png' for n in (0, 1, 12, 101)]
    folder = results(tmp_path / 'r', *names, '0_mask.png', '1_mask.png', 'overview.png')
    matched = match_results(PAIRS, folder)
    assert [matched.files[pair.name].name for pair in PAIRS] == names
    assert matched.unused == 3


def test_pairs_that_zeros_distinguish_keep_their_files(tmp_path):
    pairs = [
        Pair(name, Path(f'data/{name}.png'), Path(f'gt/{name}.png')) for name in ('1', '01', '001')
    ]
    folder = results(tmp_path / 'r', *(f'{pair.name}.png' for pair in pairs), '0001.png')
    matched = match_results(pairs, folder)
    assert {name: file.stem for name, file in matched.files.items()} == {
        p.name: p.name for p in pairs
    }


@pytest.fixture
def clarity(tmp_path):
    return open_data(str(write_raindrop_clarity(tmp_path / 'set') / 'DayRainDrop_Test'))


@pytest.mark.parametrize(
    'form', ['{scene}/{name}.png', '{scene}_{name}.png', '{scene}/{name}_out.png']
)
def test_results_by_scene(clarity, tmp_path, form):
    names = {
        pair.name: form.format(scene=pair.rainy.parent.name, name=pair.rainy.stem)
        for pair in clarity.pairs
    }
    matched = match_results(clarity.pairs, results(tmp_path / 'r', *names.values()))
    assert {
        name: path.relative_to(tmp_path / 'r').as_posix() for name, path in matched.files.items()
    } == names


def test_a_name_that_several_scenes_have_is_no_name(clarity, tmp_path):
    """One file must not become the result of both scenes."""
    names = {f'{pair.rainy.stem}.png' for pair in clarity.pairs}
    with pytest.raises(UserError, match='lacks 6 of 6'):
        match_results(clarity.pairs, results(tmp_path / 'r', *names))


def test_scenes_enter_a_leaderboard(clarity, evaluated, tmp_path):
    for pair in clarity.pairs:
        target = tmp_path / 'theirs' / pair.rainy.parent.name / pair.rainy.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pair.clean if pair.name.endswith('_00001') else pair.rainy, target)
    result = evaluated(f'theirs={tmp_path / "theirs"}/', data=clarity)['theirs']
    assert not result.reason
    perfect = {record['name'] for record in result.records if record['qian_ssim'] == 1}
    assert perfect == {pair.name for pair in clarity.pairs if pair.name.endswith('_00001')}

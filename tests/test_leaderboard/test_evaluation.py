"""Scores against golden values and scikit-image; stops, faults, and rows of other data."""

from __future__ import annotations

import csv
import json
import shutil

import cv2
import numpy as np
import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.leaderboard import Layout, open_data, read_result, summarize, write_summary
from attentive_gan.leaderboard.page_table import header
from attentive_gan.leaderboard.sources import InputSource
from support.described_networks import write_described
from support.foreign_networks import foreign_weights
from support.runs import TINY_CONFIG, data_options, tool, write_pairs

TINY = f'tiny={TINY_CONFIG}'


def test_scores_are_golden(golden, evaluated, tmp_path):
    """A folder with the golden restored image, beside the golden clean one."""
    root, folder = tmp_path / 'set', tmp_path / 'theirs'
    for name in (root / 'rainy', root / 'clean', folder):
        name.mkdir(parents=True)
    for target, source in (
        (root / 'rainy', 'clean'), (root / 'clean', 'clean'), (folder, 'restored'),
    ):  # fmt: skip
        shutil.copy(golden / 'metrics' / f'{source}.png', target / 'one.png')
    result = evaluated(f'theirs={folder}/', data=open_data(str(root)))['theirs']
    expected = json.loads((golden / 'metrics' / 'expected.json').read_text())['pattern']
    for key, value in expected.items():
        assert result.records[0][key] == pytest.approx(value, abs=1e-6), key
        assert result.means[key].mean == pytest.approx(value, abs=1e-6), key


@pytest.mark.shared
def test_scores_of_real_pairs_are_golden(shared, golden, evaluated, tmp_path):
    """The untouched input of the four real pairs."""
    expected = json.loads((golden / 'metrics' / 'expected.json').read_text())
    for folder in ('data', 'gt'):
        (tmp_path / 'set' / folder).mkdir(parents=True)
    for path in (shared / 'data' / 'raindrop_train_pairs').rglob('*_rain.*'):
        shutil.copy(path, tmp_path / 'set' / 'data')
    for path in (shared / 'data' / 'raindrop_train_pairs').rglob('*_clean.*'):
        shutil.copy(path, tmp_path / 'set' / 'gt')
    result = evaluated('input=input', data=open_data(str(tmp_path / 'set')))['input']
    assert len(result.records) == 4
    for record in result.records:
        for key, value in expected[f'raindrop_train_{record["name"]}_rain_vs_clean'].items():
            assert record[key] == pytest.approx(value, abs=1e-5), (record['name'], key)


def test_scores_equal_scikit_image(evaluated, pairs):
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    result = evaluated('input=input')['input']
    for record in result.records:
        rainy, clean = (
            cv2.imread(str(pairs / folder / f'{record["name"]}_{kind}.png'))
            for folder, kind in (('data', 'rain'), ('gt', 'clean'))
        )
        assert record['rgb_psnr'] == pytest.approx(peak_signal_noise_ratio(clean, rainy), abs=1e-9)
        luma = [cv2.cvtColor(x, cv2.COLOR_BGR2YCrCb)[..., 0] for x in (clean, rainy)]
        assert record['qian_psnr'] == pytest.approx(peak_signal_noise_ratio(*luma), abs=1e-9)
        assert record['qian_ssim'] == pytest.approx(structural_similarity(*luma), abs=1e-9)


@pytest.fixture
def attentive(tmp_path, save_weights):
    """Config of a small generator with attention, and its weights."""
    config = tmp_path / 'attentive.py'
    network = dict(
        type='AttentiveGenerator', _delete_=True, num_steps=2, attention_width=0.25, shuffle=4,
        unet=dict(blocks=1, channels=(8, 12)),
    )  # fmt: skip
    config.write_text(f'_base_ = {str(TINY_CONFIG)!r}\nmodel = dict(generator={network})\n')
    return config, save_weights(tmp_path / 'attentive.pth', config)


def test_folder_equals_config_equals_test_tool(evaluated, attentive, pairs, tmp_path):
    """One network: through its config, from its PNG files as a folder, and by tools/test.py."""
    out = tmp_path / 'out'
    config, weights = attentive
    own = evaluated(f'tiny={config},{weights}', out=out)['tiny']
    assert own.reason == ''
    assert own.attention == [str(number) for number in range(5)]
    folder = out / 'entries' / 'tiny' / 'images'
    again = evaluated(f'folder={folder}/', out=out)['folder']
    done = tool(
        'test.py', config, weights, '--work-dir', tmp_path / 'test', '--out',
        tmp_path / 'test.json', '--cfg-options', *data_options(pairs),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tested = json.loads((tmp_path / 'test.json').read_text())
    for key in ('qian_psnr', 'bt601_psnr'):
        assert own.means[key].mean == again.means[key].mean
        assert own.means[key].mean == pytest.approx(tested[f'test_a/{key}'], abs=0.01)
    assert own.cost.parameters > 0
    assert own.cost.gmacs > 0


def test_weights_without_a_config(evaluated, tmp_path):
    """Of this project, which describe their network, and of another one, which spandrel recognises."""
    pytest.importorskip('spandrel', reason='spandrel is not installed')
    described, theirs = write_described(tmp_path, 'unet'), tmp_path / 'theirs.pth'
    torch.save({'params': foreign_weights('NAFNet')}, theirs)
    rows = evaluated(f'own={described}', f'nafnet={theirs}', 'input=input')
    assert [rows[name].reason for name in ('own', 'nafnet')] == ['', '']
    assert rows['nafnet'].source.identity['network'] == 'SpandrelNetwork'
    assert 'spandrel' in rows['nafnet'].source.identity['versions']
    assert rows['nafnet'].notes == ['the weights were recognised as NAFNet, by spandrel']
    assert rows['nafnet'].cost.gmacs > 0
    summary = summarize(tmp_path / 'out', 'input')
    assert {row.result.name: row.rank is None for row in summary.rows} == {
        'own': False, 'nafnet': False, 'input': True,
    }  # fmt: skip


def test_inpainting_uses_the_true_mask_and_has_no_rank(evaluated, tmp_path):
    results = evaluated('input=input', 'fill=inpainting:telea')
    assert results['fill'].means['qian_psnr'].mean > results['input'].means['qian_psnr'].mean + 3
    summary = summarize(tmp_path / 'out', 'input')
    assert [row.rank for row in summary.rows] == [None, None]


def test_a_stopped_run_goes_on(evaluated, data, tmp_path, monkeypatch):
    made, plain = [], InputSource.predict

    def predict(self, pair):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(pair.name)
        return plain(self, pair)

    monkeypatch.setattr(InputSource, 'predict', predict)
    with pytest.raises(KeyboardInterrupt):
        evaluated('input=input')
    journal = tmp_path / 'out' / 'entries' / 'input' / 'outputs.jsonl'
    journal.write_text(journal.read_text()[:-30])  # a line that the stop has cut

    again = []
    monkeypatch.setattr(
        InputSource, 'predict', lambda self, pair: again.append(pair.name) or plain(self, pair)
    )
    result = evaluated('input=input')['input']
    names = [pair.name for pair in data.pairs]
    assert made == names[:3]
    assert again == names[2:]
    assert len(result.records) == 5
    again.clear()
    assert evaluated('input=input')['input'].records == result.records
    assert again == []
    (tmp_path / 'out' / 'entries' / 'input' / 'images' / '1.png').write_bytes(b'damaged')
    assert evaluated('input=input')['input'].records == result.records
    assert again == ['1']


def test_changed_files_start_an_entry_anew_and_say_so(evaluated, restored, monkeypatch):
    said = []
    text = f'theirs={restored}/'
    before = evaluated(text)['theirs']
    cv2.imwrite(str(restored / '2_rain.png'), np.full((40, 48, 3), 90, np.uint8))
    after = evaluated(text, log=said.append)['theirs']
    assert after.records[2] != before.records[2]
    assert after.records[0] == before.records[0]
    assert 'theirs: config, weights, files, data or versions have changed' in said[0]


def test_outputs_that_equal_the_inputs_are_named(evaluated, restored, tmp_path):
    """On the terminal and in the row, also if the files differ; one changed image is enough for none."""
    said, path = [], restored / '4_rain.png'
    cv2.imwrite(str(path), cv2.imread(str(path)), [cv2.IMWRITE_PNG_COMPRESSION, 0])
    results = evaluated('input=input', f'theirs={restored}/', log=said.append)
    warning = 'warning: all images equal the rainy inputs, nothing was restored'
    assert said == [f'theirs: {warning}']
    assert results['input'].notes == []
    assert read_result(tmp_path / 'out' / 'entries' / 'theirs' / 'result.json').notes == [warning]
    cv2.imwrite(str(path), 255 - cv2.imread(str(path)))
    assert evaluated(f'theirs={restored}/')['theirs'].notes == []


def spoil(folder, how):
    """Break a folder of restored images in one way."""
    path = folder / '3_rain.png'
    if how == 'missing':
        path.unlink()
    elif how == 'corrupt':
        path.write_bytes(path.read_bytes()[:200])
    elif how == 'mis-sized':
        cv2.imwrite(str(path), np.zeros((40, 50, 3), np.uint8))
    elif how == 'double':
        shutil.copy(path, folder / '3.png')


@pytest.mark.parametrize(
    ('how', 'message'),
    [
        ('missing', 'lacks 1 of 5 images: 3_rain'),
        ('corrupt', '3_rain.png'),
        ('mis-sized', '3_rain.png is 50x40'),
        ('double', '3.png and 3_rain.png for one image'),
    ],
)
def test_a_faulty_folder_is_named_and_stops_no_other(evaluated, restored, tmp_path, how, message):
    spoil(restored, how)
    results = evaluated('input=input', f'theirs={restored}/', 'fill=inpainting')
    assert message in results['theirs'].reason
    summary = summarize(tmp_path / 'out', 'input')
    assert [row.result.name for row in summary.rows] == ['fill', 'input']
    assert [name for name, _ in summary.failed] == ['theirs']


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'generator__head__weight': float('nan')}, 'values that are not finite'),
        (None, 'do not fit'),
    ],
)
def test_faulty_weights_are_named(evaluated, tmp_path, changes, message, save_weights):
    import torch

    path = tmp_path / 'bad.pth'
    if changes is None:
        torch.save({'state_dict': {'generator.head.weight': torch.zeros(2)}}, path)
    else:
        save_weights(path, **changes)
    result = evaluated(f'{TINY},{path}')['tiny']
    assert message in result.reason
    assert not result.ranked
    assert result.records == []


def test_networks_of_other_values_are_refused(evaluated, weights, tmp_path):
    """`ImageRestorer` passes values 0 to 1; their scores would be wrong without any error."""
    config = tmp_path / 'normalised.py'
    preprocessor = dict(mean=[127.5] * 3, std=[127.5] * 3)
    config.write_text(
        f'_base_ = {str(TINY_CONFIG)!r}\nmodel = dict(data_preprocessor={preprocessor})\n'
    )
    assert 'with mean [127.5, 127.5, 127.5]' in evaluated(f'x={config},{weights}')['x'].reason


def test_vgg_weights_are_not_needed(evaluated, weights, tmp_path):
    config = tmp_path / 'with_vgg.py'
    loss = "dict(type='VGGPerceptualLoss', _delete_=True, weights_path='nowhere.pth')"
    config.write_text(f'_base_ = {str(TINY_CONFIG)!r}\nmodel = dict(perceptual_loss={loss})\n')
    results = evaluated(f'vgg={config},{weights}', f'{TINY},{weights}')
    assert results['vgg'].reason == ''
    assert results['vgg'].means['rgb_psnr'] == results['tiny'].means['rgb_psnr']


def test_measured_time_stays_when_no_new_one_is_wanted(evaluated, weights):
    from attentive_gan.leaderboard import CostSetting

    text = f'net={TINY_CONFIG},{weights}'
    timed = evaluated(text, cost=CostSetting(48, 40, repeat=1))['net'].cost
    assert timed.milliseconds > 0
    kept = evaluated(text, cost=CostSetting(48, 40, repeat=1, timing=False))['net'].cost
    assert kept == timed
    other = evaluated(text, cost=CostSetting(64, 40, repeat=1, timing=False))['net'].cost
    assert other.milliseconds is None


def as_version_0_1_0(folder):
    """Rewrite the result of an entry as version 0.1.0 wrote it."""
    (folder / 'images').rename(folder / 'pictures')
    content = json.loads((folder / 'result.json').read_text())
    for counted in (content['data'], *content['means'].values()):
        counted['pictures'] = counted.pop('images')
    content |= {'layout': 1, 'made': content.pop('run')}
    content['source'] |= content['source'].pop('identity')
    (folder / 'result.json').write_text(json.dumps(content))


def test_results_of_version_0_1_0_are_converted(evaluated, weights, tmp_path, monkeypatch):
    from attentive_gan.leaderboard import CostSetting, write_page

    texts, cost = ('input=input', f'{TINY},{weights}'), CostSetting(48, 40, repeat=1)
    before = evaluated(*texts, cost=cost)
    folders = [tmp_path / 'out' / 'entries' / name for name in ('input', 'tiny')]
    for folder in folders:
        as_version_0_1_0(folder)
    assert 'pictures' in (folders[1] / 'result.json').read_text()
    found = summarize(tmp_path / 'out', 'input').rows
    assert {row.result.name: row.result for row in found} == before
    assert all((folder / 'images' / '0.png').is_file() for folder in folders)
    assert not any((folder / 'pictures').exists() for folder in folders)
    page = write_page(summarize(tmp_path / 'out', 'input'), tmp_path / 'out')
    assert 'entries/tiny/images/' in page.read_text()
    # A new run keeps images and scores.
    monkeypatch.setattr(InputSource, 'predict', None)
    after = evaluated('input=input')['input']
    assert (after.reason, after.records) == ('', before['input'].records)


def test_results_of_a_later_version_are_refused(evaluated, tmp_path):
    evaluated('input=input')
    path = tmp_path / 'out' / 'entries' / 'input' / 'result.json'
    path.write_text(path.read_text().replace('"layout": 2', '"layout": 3'))
    with pytest.raises(UserError, match=r'has layout 3, this version reads 1 and 2; update'):
        read_result(path)
    path.write_text('[]')
    with pytest.raises(UserError, match=r'result\.json is not a result .*remove its folder'):
        read_result(path)


def test_a_run_that_fails_takes_its_row_away(evaluated, restored, tmp_path):
    text = f'theirs={restored}/'
    evaluated('input=input', text)
    spoil(restored, 'missing')
    evaluated(text)
    summary = summarize(tmp_path / 'out', 'input')
    assert [row.result.name for row in summary.rows] == ['input']
    assert not (tmp_path / 'out' / 'entries' / 'theirs' / 'scores.csv').exists()


def test_other_images_are_not_mixed(evaluated, tmp_path):
    other = open_data(str(write_pairs(tmp_path / 'other', 5, seed=9)))
    evaluated('input=input')
    evaluated('theirs=input', data=other)
    summary = summarize(tmp_path / 'out', 'input')
    assert [row.result.name for row in summary.rows] == ['input']
    assert 'different image lists are not mixed' in dict(summary.failed)['theirs']
    turned = summarize(tmp_path / 'out', 'input', other.manifest_sha256)
    assert [row.result.name for row in turned.rows] == ['theirs']
    assert dict(turned.failed).keys() == {'input'}


def test_files_hold_everything(evaluated, restored, data, tmp_path):
    out = tmp_path / 'out'
    result = evaluated('input=input', f'theirs={restored}/')['theirs']
    assert read_result(out / 'entries' / 'theirs' / 'result.json').records == result.records
    with (out / 'entries' / 'theirs' / 'scores.csv').open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row['name'] for row in rows] == [pair.name for pair in data.pairs]
    assert float(rows[1]['rgb_ssim']) == result.records[1]['rgb_ssim']
    write_summary(summarize(out, 'input'), out)
    board = json.loads((out / 'leaderboard.json').read_text())
    assert board['data']['manifest_sha256'] == data.manifest_sha256
    first = next(row for row in board['rows'] if row['name'] == 'theirs')
    assert (first['rank'], first['qian_psnr_difference']) == (1, 0.0)
    assert json.loads((out / 'data_manifest.json').read_text())['images'] == 5


def test_equal_images_are_infinite_and_first(evaluated, pairs, restored, tmp_path):
    """Clean images handed in as restored: infinite in every image, null in the file."""
    shutil.copytree(pairs / 'gt', tmp_path / 'clean')
    evaluated('input=input', f'perfect={tmp_path / "clean"}/', f'theirs={restored}/')
    summary = summarize(tmp_path / 'out', 'input')
    assert [row.result.name for row in summary.rows if row.rank] == ['perfect', 'theirs']
    assert summary.rows[0].result.means['rgb_psnr'].mean == np.inf
    write_summary(summary, tmp_path / 'out')


def test_the_printed_command_makes_the_row_again(weights, pairs, restored, tmp_path):
    """Through the tool, with one entry that fails: exit code 1, everything else kept."""
    out = tmp_path / 'out'
    done = tool(
        'leaderboard.py', pairs, '--entry', f'{TINY},{weights}', '--entry', f'bad={tmp_path / "no"}',
        '--out', out, '--size', '48x40', '--repeat', '1',
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert 'not ranked: bad' in done.stdout
    assert (out / 'index.html').is_file()
    before = read_result(out / 'entries' / 'tiny' / 'result.json')
    assert before.cost.milliseconds > 0
    shutil.rmtree(out)
    words = [word.strip("'") for word in before.command.split()]
    assert words[:2] == ['python', 'tools/leaderboard.py']
    done = tool('leaderboard.py', *words[2:], '--no-page')
    assert done.returncode == 0, done.stderr
    after = read_result(out / 'entries' / 'tiny' / 'result.json')
    assert after.records == before.records
    assert not (out / 'index.html').exists()


def layouts(root):
    """Write one set in three layouts; return folder and layout of each."""
    write_pairs(root / 'plain', 2)
    (root / 'streaks' / 'rainy').mkdir(parents=True)
    (root / 'halves').mkdir()
    for number in range(2):
        rainy = cv2.imread(str(root / 'plain' / 'data' / f'{number}_rain.png'))
        clean = cv2.imread(str(root / 'plain' / 'gt' / f'{number}_clean.png'))
        cv2.imwrite(str(root / 'streaks' / 'rainy' / f'rain-{number}.png'), rainy)
        cv2.imwrite(str(root / 'streaks' / f'norain-{number}.png'), clean)
        cv2.imwrite(str(root / 'halves' / f'{number}.png'), np.concatenate([clean, rainy], 1))
    return [
        (root / 'plain', Layout()),
        (root / 'streaks', Layout(('rainy', '.'), ('rain-{}', 'norain-{}'))),
        (root / 'halves', Layout(rainy_side='right')),
    ]


def test_layouts_of_streak_data_score_alike(evaluated, weights, tmp_path):
    found = []
    for root, layout in layouts(tmp_path):
        data = open_data(str(root), layout)
        results = evaluated('input=input', f'{TINY},{weights}', data=data, out=tmp_path / root.name)
        assert all(word in results['tiny'].command for word in layout.arguments)
        found.append([results[name].means['qian_psnr'].mean for name in ('input', 'tiny')])
    assert found[0] == found[1] == found[2]


def test_unusable_data_is_one_line(tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        open_data(str(tmp_path / 'nowhere'))
    with pytest.raises(UserError, match='holds no data set'):
        open_data(str(tmp_path))


def test_lpips_is_absent_without_its_weights(monkeypatch, tmp_path):
    from attentive_gan.leaderboard import find_lpips

    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    found, why = find_lpips()
    assert found is None
    assert why.startswith('no LPIPS')


def test_the_ntire_score_is_named_by_what_is_in_it(evaluated, tmp_path):
    """The formula of the reports; rows of an earlier version, which lack it, get it too."""

    class Constant:
        description = 'LPIPS of a test'

        def __call__(self, pred, gt):
            return 0.25

    whole = evaluated('input=input', lpips=Constant(), out=tmp_path / 'whole')['input']
    part = evaluated('input=input', out=tmp_path / 'part')['input']
    for one, other in zip(whole.records, part.records, strict=True):
        expected = one['bt601_psnr'] + 10 * one['bt601_ssim']
        assert one['ntire_score'] == pytest.approx(expected - 1.25)
        assert other['ntire_score_without_lpips'] == pytest.approx(expected)
        assert 'ntire_score_without_lpips' not in one
        assert 'ntire_score' not in other
    path = tmp_path / 'part' / 'entries' / 'input' / 'result.json'
    content = json.loads(path.read_text())
    for record in content['records']:
        del record['ntire_score_without_lpips']
    del content['means']['ntire_score_without_lpips']
    path.write_text(json.dumps(content))
    assert read_result(path).means.keys() == set(content['means'])
    again = evaluated('input=input', out=tmp_path / 'part')['input']
    assert again.records == part.records
    summary = summarize(tmp_path / 'part', 'input')
    heads = [column.title for column in header(summary)]
    assert 'NTIRE, part' in heads
    assert 'NTIRE' not in heads
    write_summary(summary, tmp_path / 'part')
    (row,) = csv.DictReader((tmp_path / 'part' / 'leaderboard.csv').open())
    mean = part.means['ntire_score_without_lpips'].mean
    assert float(row['ntire_score_without_lpips']) == pytest.approx(mean)
    assert row['ntire_score'] == ''

"""What the score files hold, and that nothing in them or on the way to them can go wrong quietly."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
from attentive_gan.engine.hooks import MeanScoresHook, ScoreFilesHook
from attentive_gan.errors import UserError
from attentive_gan.evaluation import PROTOCOLS, RaindropScores, mean_scores
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.report_files import to_csv, to_json
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger


def record(name, psnr=20.5, ssim=0.75, **more):
    return {'name': name, 'path': f'data/{name}.png', 'qian_psnr': psnr, 'qian_ssim': ssim, **more}


def scored(*records, prefix='test_a', protocols=('qian',)):
    metric = RaindropScores(protocols, prefix=prefix)
    metric.records = list(records)
    return metric


def runner(work_dir, *metrics_of_data_sets, names=None, iteration=30, load_from=None):
    """Return what the hook reads of a runner whose loops have these metrics, set by set."""
    names = names or [f'set_{number}' for number in range(len(metrics_of_data_sets))]
    dataset = [SimpleNamespace(metainfo={'dataset_name': name}) for name in names]
    loop = SimpleNamespace(
        evaluators=[SimpleNamespace(metrics=metrics) for metrics in metrics_of_data_sets],
        dataloaders=[SimpleNamespace(dataset=item) for item in dataset],
    )
    return SimpleNamespace(
        work_dir=str(work_dir),
        val_loop=loop,
        test_loop=loop,
        iter=iteration,
        cfg=SimpleNamespace(filename='configs/some.py'),
        logger=MMLogger.get_current_instance(),
        _load_from=load_from,
    )


def rows(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding='utf-8'))))


def strict_json(path):
    def refuse(token):
        raise AssertionError(f'{token} is no JSON')

    return json.loads(path.read_text(encoding='utf-8'), parse_constant=refuse)


def test_validation_writes_rows_means_and_provenance(tmp_path):
    records = [record('0_rain', 20.0, 0.5), record('1_rain', 24.0, 0.7)]
    ScoreFilesHook().after_val_epoch(runner(tmp_path, [scored(*records)], load_from='old.pth'))
    folder = tmp_path / 'scores' / 'val_iter_30'
    assert sorted(path.name for path in folder.iterdir()) == ['test_a.csv', 'test_a.json']
    text = [{key: str(value) for key, value in item.items()} for item in records]
    assert rows(folder / 'test_a.csv') == text
    report = strict_json(folder / 'test_a.json')
    assert report['records'] == records
    assert report['means'] == {'qian_psnr': 22.0, 'qian_ssim': pytest.approx(0.6)}
    assert report['data_set'] == 'test_a'
    assert report['images'] == 2
    assert report['protocols'] == {'qian': PROTOCOLS['qian'].description}
    assert report['config'] == 'configs/some.py'
    assert report['iteration'] == 30
    # In training the weights are those of the iteration, not those it started with.
    assert report['checkpoint'] is None
    packages = {'mmagic', 'mmengine', 'numpy', 'opencv', 'scikit-image', 'torch'}
    assert set(report['versions']) == packages


def test_test_names_the_weights(tmp_path):
    ScoreFilesHook().after_test_epoch(runner(tmp_path, [scored(record('a'))], load_from='best.pth'))
    report = strict_json(tmp_path / 'scores' / 'test' / 'test_a.json')
    assert report['checkpoint'] == 'best.pth'
    assert report['iteration'] is None


def test_no_weights_are_null_not_a_word(tmp_path):
    ScoreFilesHook().after_test_epoch(runner(tmp_path, [scored(record('a'))]))
    assert strict_json(tmp_path / 'scores' / 'test' / 'test_a.json')['checkpoint'] is None


def test_data_sets_with_equal_file_names_keep_apart(tmp_path):
    first, second = scored(record('0_rain', 20.0)), scored(record('0_rain', 30.0), prefix='test_b')
    ScoreFilesHook().after_test_epoch(runner(tmp_path, [first], [second]))
    folder = tmp_path / 'scores' / 'test'
    assert rows(folder / 'test_a.csv')[0]['qian_psnr'] == '20.0'
    assert rows(folder / 'test_b.csv')[0]['qian_psnr'] == '30.0'


def test_metrics_of_the_same_name_do_not_overwrite_each_other(tmp_path):
    other = {'name': '0_rain', 'path': 'data/0_rain.png', 'rgb_psnr': 19.0, 'rgb_ssim': 0.5}
    both = [scored(record('0_rain')), scored(other, protocols=('rgb',))]
    ScoreFilesHook().after_test_epoch(runner(tmp_path, both))
    folder = tmp_path / 'scores' / 'test'
    assert list(rows(folder / 'test_a.csv')[0]) == ['name', 'path', 'qian_psnr', 'qian_ssim']
    assert list(rows(folder / 'test_a_2.csv')[0]) == ['name', 'path', 'rgb_psnr', 'rgb_ssim']
    assert strict_json(folder / 'test_a_2.json')['data_set'] == 'test_a'


def test_without_prefix_the_data_set_gives_the_name(tmp_path):
    metrics = [scored(record('a'), prefix=None)], [scored(record('b'), prefix=None)]
    ScoreFilesHook().after_test_epoch(runner(tmp_path, *metrics, names=['test_a', 'test_a']))
    folder = tmp_path / 'scores' / 'test'
    assert rows(folder / 'test_a.csv')[0]['name'] == 'a'
    assert rows(folder / 'test_a_2.csv')[0]['name'] == 'b'


def test_other_metrics_and_empty_ones_write_nothing(tmp_path):
    class Other(BaseMetric):
        process = compute_metrics = None

    Other.__abstractmethods__ = frozenset()
    ScoreFilesHook().after_test_epoch(runner(tmp_path, [Other(prefix='x'), scored()], None))
    assert not (tmp_path / 'scores').exists()


@pytest.mark.fault('E8')
@pytest.mark.parametrize('start', ['=', '+', '-', '@', '\t', '\r'])
def test_a_name_that_is_a_formula_becomes_text(start):
    name = f'{start}HYPERLINK("http://x","y")'
    cell = next(csv.DictReader(io.StringIO(to_csv([record(name)]), newline='')))
    assert cell['name'] == f"'{name}"


def test_numbers_and_ordinary_names_stay_as_they_are():
    cells = next(csv.DictReader(io.StringIO(to_csv([record('a,"b"', -1.5, 0.1 + 0.2, note='')]))))
    assert cells['name'] == 'a,"b"'
    assert cells['note'] == ''
    assert float(cells['qian_psnr']) == -1.5
    assert float(cells['qian_ssim']) == 0.1 + 0.2


def test_infinite_scores_leave_the_json_strict(tmp_path):
    records = [record('a', math.inf, 1.0), record('b', 20.0), record('c', 22.0)]
    ScoreFilesHook().after_test_epoch(
        runner(tmp_path, [scored(*records)], [scored(record('a', math.inf, 1.0), prefix='all')])
    )
    folder = tmp_path / 'scores' / 'test'
    report = strict_json(folder / 'test_a.json')
    assert [item['qian_psnr'] for item in report['records']] == [None, 20.0, 22.0]
    assert report['means']['qian_psnr'] == 21.0
    assert strict_json(folder / 'all.json')['means'] == {'qian_psnr': None, 'qian_ssim': 1.0}
    assert rows(folder / 'test_a.csv')[0]['qian_psnr'] == 'inf'
    # The metric's own records are as they were.
    assert records[0]['qian_psnr'] == math.inf
    assert mean_scores(records)['qian_psnr'] == 21.0


def test_strict_json_keeps_everything_else():
    value = {'a': [1, 2.5, (True, None, 'x')], 'b': {'c': math.nan, 'd': -math.inf}}
    assert json.loads(to_json(value)) == {
        'a': [1, 2.5, [True, None, 'x']],
        'b': {'c': None, 'd': None},
    }


def test_mean_scores_file_is_strict_too(tmp_path):
    path = tmp_path / 'deep' / 'means.json'
    MeanScoresHook(str(path)).after_test_epoch(
        runner(tmp_path), {'test_a/qian_psnr': math.inf, 'test_a/qian_ssim': 1.0}
    )
    assert strict_json(path) == {'test_a/qian_psnr': None, 'test_a/qian_ssim': 1.0}


def test_a_reader_sees_the_old_or_the_new_file(tmp_path, monkeypatch):
    path = tmp_path / 'scores.csv'
    write_text(path, 'old')
    seen = []
    replace = Path.replace

    def look_before(self, target):
        seen.append((path.read_text(), self.read_text()))
        return replace(self, target)

    monkeypatch.setattr(Path, 'replace', look_before)
    write_text(path, 'new')
    assert seen == [('old', 'new')]
    assert path.read_text() == 'new'
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path, monkeypatch):
    path = tmp_path / 'scores.csv'
    write_text(path, 'old')

    def half(self, text, **_):
        with self.open('w') as file:
            file.write(text[:1])
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(Path, 'write_text', half)
    with pytest.raises(UserError, match=r'scores\.csv cannot be written .*No space left'):
        write_text(path, 'new')
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / 'scores').write_text('a file where a folder should be')
    with pytest.raises(UserError, match=r'a\.json cannot be written'):
        write_text(tmp_path / 'scores' / 'a.json', '{}')


def test_names_of_any_bytes_and_any_script_can_be_written(tmp_path):
    name = 'дождь_\udcff'
    write_text(tmp_path / 'scores.csv', to_csv([record(name)]))
    data = (tmp_path / 'scores.csv').read_bytes()
    assert 'дождь_'.encode() + b'\xff' in data

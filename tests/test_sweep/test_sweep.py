"""A sweep: planned, stopped, resumed, summed up."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch
import yaml
from attentive_gan.errors import UserError
from attentive_gan.sweep import report as sweep_report
from attentive_gan.sweep import run as sweep_run
from attentive_gan.sweep.plan import Budget, Sweep, plan_sweep
from attentive_gan.sweep.run import run_sweep
from mmagic.registry import MODELS
from support.runs import REPOSITORY, TINY_CONFIG, tool, write_pairs

UNET = str(REPOSITORY / 'configs' / 'unet' / 'unet_1xb8-100k_raindrop.py')
MAIN = str(REPOSITORY / 'configs' / 'attgan_raindrop.py')
EMBEDDED = str(REPOSITORY / 'configs' / 'attentive_gan' / 'attgan_1xb2-500_drawn.py')


def test_options_go_where_their_field_is(tmp_path: Path) -> None:
    options = {'model.perceptual_loss': None, 'train_dataloader.dataset.length': 3}
    sweep = plan_sweep([UNET, MAIN], Budget(5), tmp_path, EMBEDDED, options)
    assert [training.ignored for training in sweep.trainings] == [['model.perceptual_loss'], []]
    assert [training.name for training in sweep.trainings] == ['unet', 'attgan']


def test_an_option_that_fits_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'model\.perceptual_loss: none'):
        plan_sweep([UNET], Budget(5), tmp_path, None, {'model.perceptual_loss': None})


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='two configs named unet'):
        plan_sweep([UNET, UNET], Budget(5), tmp_path)


@pytest.mark.parametrize(
    ('budget', 'data', 'message'),
    [
        (Budget(6), EMBEDDED, 'iterations 5, not 6'),
        (Budget(minutes=1.0), EMBEDDED, 'iterations 5, not None'),
        (Budget(5), None, 'attgan_1xb2-500_drawn.py., not None'),
    ],
)
def test_another_sweep_in_the_same_folder_is_refused(
    tmp_path: Path, budget: Budget, data: str | None, message: str
) -> None:
    plan_sweep([UNET], Budget(5), tmp_path, EMBEDDED)
    plan_sweep([UNET], Budget(5), tmp_path, EMBEDDED)
    with pytest.raises(UserError, match=message):
        plan_sweep([UNET], budget, tmp_path, data)


def test_a_wrong_data_config_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='not found'):
        plan_sweep([UNET], Budget(5), tmp_path, 'no_such.py')
    assert not list(tmp_path.iterdir())


def test_minutes_become_iterations_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fake(sweep: Sweep, words: list[str], folder: Path) -> str:
        calls.append(folder.name)
        if folder.name == 'miniature':  # the first iterations are slow and do not count
            times = {'seconds': [9.0] * 5 + [0.4, 0.6] * 10}
            (folder / 'times.json').write_text(json.dumps(times))
            return ''
        return 'stopped'

    monkeypatch.setattr(sweep_run, '_run', fake)
    sweep = plan_sweep([UNET], Budget(minutes=2.0), tmp_path, EMBEDDED)
    for _ in range(2):
        (record,) = run_sweep(sweep, lambda text: None)
        assert (record['state'], record['reason'], record['iterations']) == (
            'failed',
            'stopped',
            240,
        )
    assert calls == ['miniature', 'unet', 'unet']


def test_parameters_are_counted_without_buffers(tmp_path: Path) -> None:
    generator = dict(type='Pix2PixGenerator', base_channels=2, num_down=5)
    config = tmp_path / 'pix2pix.py'
    base = REPOSITORY / 'configs' / 'unet' / 'unet_1xb8-100k_raindrop.py'
    config.write_text(
        f'_base_ = {str(base)!r}\nmodel = dict(generator=dict(_delete_=True, **{generator!r}))\n'
    )
    network = MODELS.build(generator)
    assert list(network.buffers())
    state = {f'generator.{name}': value for name, value in network.state_dict().items()}
    torch.save({'state_dict': state}, tmp_path / 'iter_1.pth')
    counted = sweep_report._parameters(str(config), tmp_path / 'iter_1.pth')
    assert counted == sum(parameter.numel() for parameter in network.parameters())


def test_a_sweep_goes_on_after_a_failure_and_after_a_stop(tmp_path: Path) -> None:
    write_pairs(tmp_path / 'data' / 'train')
    write_pairs(tmp_path / 'data' / 'test_a', count=2, seed=1)
    text = f'_base_ = {str(TINY_CONFIG)!r}\n'
    good, broken = tmp_path / 'good_raindrop.py', tmp_path / 'broken.py'
    good.write_text(text)
    broken.write_text(text + "model = dict(pixel_loss=dict(type='NoSuchLoss'))\n")
    folder = tmp_path / 'all'
    options = {'data_root': str(tmp_path / 'data'), 'default_hooks.checkpoint.interval': 2}
    words = ['--work-dir', folder, '--iterations', 4, '--cfg-options']
    words += [f'{name}={value}' for name, value in options.items()]

    first = tool('train_all.py', broken, good, *words, KILL_AT='3')
    assert first.returncode == 1, first.stderr
    assert 'NoSuchLoss' in first.stderr
    assert 'good: failed, exit code -9' in first.stderr
    assert yaml.safe_load((folder / 'entries.yml').read_text()) == {'entries': []}

    second = tool('train_all.py', good, *words)
    assert second.returncode == 0, second.stderr
    assert 'good: going on with 4 iterations' in second.stderr
    (row,) = csv.DictReader((folder / 'summary.csv').open())
    assert (row['name'], row['state'], row['iterations']) == ('good', 'done', '4')
    assert float(row['seconds_per_iteration']) > 0
    assert float(row['test_a/qian_psnr']) > 0
    (entry,) = yaml.safe_load((folder / 'entries.yml').read_text())['entries']
    assert entry['checkpoint'] == str(folder / 'good' / 'iter_4.pth')

    lines: list[str] = []
    sweep = plan_sweep([str(good)], Budget(4), folder, None, options)
    (record,) = run_sweep(sweep, lines.append)
    assert record['state'] == 'done'
    assert 'done before' in lines[0]
    good.write_text(text + 'model = dict(train_cfg=dict(gen_init_steps=3))\n')
    (record,) = run_sweep(sweep, lines.append)
    assert record['state'] == 'failed'
    assert 'has changed since' in record['reason']
    good.write_text(text)
    (record,) = run_sweep(sweep, lines.append)
    assert record['state'] == 'done'

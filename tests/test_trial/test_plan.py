"""What a trial refuses, and how it divides its time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from attentive_gan.errors import UserError
from support.runs import REPOSITORY, tool, write_pairs
from trial.plan import LEAST_TRAINING, environment

CONFIGS = (
    'configs/attgan_pool.py',
    'configs/attgan_small.py',
    'configs/attentive_gan/small_comparison/unet.py',
)


@pytest.fixture
def card(monkeypatch):
    """Pretend that there is a card of 80 GB; returns a function that changes it."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)

    def of(gigabytes, capability=9):
        facts = SimpleNamespace(name='Some card', major=capability, total_memory=gigabytes * 10**9)
        monkeypatch.setattr(torch.cuda, 'get_device_properties', lambda device: facts)

    of(80)
    return of


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(seconds=10), r'--seconds 10 is too short.*at least 40'),
        (dict(phases=('train', 'sleep')), r"no phase 'sleep'; there are tests, benchmark"),
        (dict(config='configs/none.py'), r'configs/none\.py is not in .*checkout'),
    ],
)
def test_wrong_choices_are_refused(make, changes, message):
    with pytest.raises(UserError, match=message):
        make(**changes)


def test_a_missing_card_is_named(make, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(UserError, match=r'no CUDA device.*--device cpu'):
        make(device='cuda')


def test_a_small_card_is_refused_for_training_alone(make, card):
    make(device='cuda')
    card(12)
    with pytest.raises(UserError, match=r'the card has 12 GB.*--phases tests benchmark'):
        make(device='cuda')
    assert make(device='cuda', phases=('tests', 'benchmark')).limit('tests') == 0.2 * 60


def test_a_card_without_bfloat16_is_refused_for_training_alone(make, card):
    card(32, capability=7)
    with pytest.raises(UserError, match=r'Some card does not compute in bfloat16.*--amp float16'):
        make(device='cuda')
    make(device='cuda', phases=('tests', 'benchmark'))


def test_folders_are_looked_at_before_anything_runs(make, tmp_path):
    with pytest.raises(UserError, match=r'--pairs .*nowhere: there is no such folder'):
        make(pairs=tmp_path / 'nowhere')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='empty'):
        make(pairs=tmp_path / 'empty')
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match=r'--out .*file/out cannot be written.*choose another'):
        make(out=tmp_path / 'file' / 'out')
    plan = make(pairs=write_pairs(tmp_path / 'pairs', count=2))
    assert len(plan.real_pairs()) == 2
    assert list(plan.out.iterdir()) == []  # no trace of the attempt to write


@pytest.mark.parametrize('left', [560, 400, 60, 20, -30])
@pytest.mark.parametrize('device', ['cpu', 'cuda'])
def test_a_training_ends_before_its_limit_and_leaves_time_for_scores(make, card, left, device):
    plan = make(seconds=560, device=device)
    seconds = plan.training_seconds(left)
    assert seconds >= LEAST_TRAINING
    assert plan.training_limit(left) >= seconds + 10
    if left >= 400:
        assert seconds == pytest.approx(left - 0.08 * 560 - 30)
        assert make(seconds=560, phases=('train',)).training_seconds(left) == left - 30


def test_phases_may_take_their_share_on_a_card_and_minutes_on_a_cpu(make, card):
    assert make(device='cuda').limit('benchmark') == pytest.approx(8.4)
    assert make().limit('benchmark') >= 60
    assert make().share('benchmark') == pytest.approx(8.4)


@pytest.mark.parametrize('config', CONFIGS)
def test_configs_become_narrow_on_a_cpu(make, card, config):
    plan = make(config=config, options=('train_dataloader.batch_size=3',))
    read = plan.read_config(plan.all_options)
    loader = read.train_dataloader
    assert (loader.crop_size, loader.pool_size, loader.start_size) == (64, 24, 8)
    assert loader.batch_size == 3  # the user's choice is the last
    assert list(loader.stages) == []
    for part in ('generator', 'discriminator'):
        network = read.model.get(part)
        assert network is None or network.type == 'RestorationUNet' or network.width == 0.125
    assert make(device='cuda', config=config).all_options == []


def test_programs_find_the_package_and_no_card_in_a_dry_run(make, card, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', '/own')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '3')
    found = environment(make())
    assert found['PYTHONPATH'].split(':') == [str(REPOSITORY / 'projects'), '/own']
    assert found['CUDA_VISIBLE_DEVICES'] == ''
    assert environment(make(device='cuda'))['CUDA_VISIBLE_DEVICES'] == '3'


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--seconds', '10', '--device', 'cpu'], 'too short'),
        (['--device', 'cpu', '--pairs', 'nowhere'], 'no such folder'),
        pytest.param(
            [], 'no CUDA device',
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason='there is a card'),
        ),
    ],
)  # fmt: skip
def test_the_tool_says_it_in_one_line(tmp_path, arguments, message):
    ended = tool('gpu_trial.py', '--out', tmp_path / 'out', *arguments)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith('error: ')
    assert message in line
    assert not (tmp_path / 'out').exists()

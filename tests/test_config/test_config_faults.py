"""Mistakes in configs are named by the field, with what was probably meant, before the training starts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import attentive_gan.registration
import pytest
from attentive_gan import train
from attentive_gan.cli.common import parse_options
from attentive_gan.config.reading import load_config
from attentive_gan.engine.runner.config_errors import check_values
from attentive_gan.engine.runner.config_faults import faults
from attentive_gan.engine.runner.process_group import start_process_group
from attentive_gan.errors import UserError
from support.runs import REPOSITORY, TINY_CONFIG, data_options, write_pairs

DRAWN = REPOSITORY / 'configs' / 'attentive_gan' / 'attgan_1xb2-500_drawn.py'
#: Option, and the message behind the field's name.
OPTIONS = {
    'optim_wrapper.generator.optimizer.type=Adm': "there is no optimizer 'Adm'; did you mean 'Adam'?",
    'optim_wrapper.generator.optimizer.lr=fast': "expected a number, got 'fast'",
    'optim_wrapper.generator.optimizer.betas=0.9': 'expected a list, got 0.9',
    'optim_wrapper.generator.optimizer.weight_decoy=0':
        "Adam has no such field; did you mean 'weight_decay'?",
    'optim_wrapper.generator.clip_grad.max_norms=1':
        "clip_grad has no such field; did you mean 'max_norm'?",
    'train_cfg.max_iter=3': "ResumableTrainLoop has no such field; did you mean 'max_iters'?",
    'train_dataloader.batchsize=3': "a data loader has no such field; did you mean 'batch_size'?",
    'train_dataloader.dataset.pipelin=[]': "RaindropDataset has no such field; did you mean 'pipeline'?",
    'train_dataloader.dataset.pipeline.2.type=RaindropMsk':
        "there is no transform 'RaindropMsk'; did you mean 'RaindropMask'?",
    'train_dataloader.sampler.type=SeedSampler':
        "there is no data sampler 'SeedSampler'; did you mean 'SeededSampler'?",
    'val_evaluator.metrics.0.type=RaindropScore':
        "there is no metric 'RaindropScore'; did you mean 'RaindropScores'?",
    'default_hooks.checkpoint.intervall=5':
        "VerifiedCheckpointHook has no such field; did you mean 'interval'?",
    'default_hooks.checkpoint.interval=often': "expected a number, got 'often'",
    'model.type=AttentiveGAM': "there is no model 'AttentiveGAM'; did you mean 'AttentiveGAN'?",
    'model.gan_loss.loss_weight=heavy': "expected a number, got 'heavy'",
    'model.data_preprocessor.mean=[a,b,c]': "expected a list of numbers, got ['a', 'b', 'c']",
    'log_processor.window=5': "LogProcessor has no such field; did you mean 'window_size'?",
    'randomness.sed=1': "randomness has no such field; did you mean 'seed'?",
}  # fmt: skip
_COUNT, _DICT, _DICTS = 'a whole number from 1 on', 'a dict', 'a dict or a list of dicts'
_STAGE = 'a whole number from 0 on, or a share of the training in (0, 1)'
_SEED = 'a whole number from 0 to 4294967295'
#: Option with a value that cannot be meant, and what was expected.
VALUES = {
    'train_cfg.val_interval=0': _COUNT,
    'train_cfg.max_iters=0': _COUNT,
    'train_cfg.max_iters=-5': _COUNT,
    'model=3': _DICT,
    'model.train_cfg.gen_init_steps=abc': _STAGE,
    'model.train_cfg.disc_init_steps=-1': _STAGE,
    'model.train_cfg.gen_steps=0': _COUNT,
    'optim_wrapper.generator.clip_grad.max_norm=abc': 'a number above 0',
    'load_from=3': 'a path',
    'work_dir=3': 'a path',
    'val_evaluator.metrics=3': _DICTS,
    'param_scheduler=3': _DICTS,
    'log_level=FOO': 'one of DEBUG, INFO, WARNING, ERROR, CRITICAL',
    'env_cfg=3': _DICT,
    'env_cfg.mp_cfg=3': _DICT,
    'optim_wrapper.generator.optimizer=3': _DICT,
    'train_dataloader.sampler=3': _DICT,
    'env_cfg.cudnn_benchmark=abc': 'True or False',
    'default_hooks=3': _DICT,
    'default_hooks.foo=1': _DICT,
    'default_hooks.logger.interval=0': _COUNT,
    'default_hooks.sample_grid.interval=0': _COUNT,
    'custom_hooks=3': 'a list of dicts',
    'randomness.seed=abc': _SEED,
    'randomness.seed=-1': _SEED,
    'randomness.deterministic=abc': 'True or False',
    'train_dataloader.dataset=3': _DICT,
    'train_dataloader.num_workers=a': 'a whole number from 0 on',
    'train_dataloader.batch_size=0': _COUNT,
    'train_dataloader.batch_size=two': _COUNT,
    'train_dataloader.batch_size=2.5': _COUNT,
    'default_hooks.checkpoint.save_best=nope':
        'one of test_a/qian_psnr, test_a/qian_ssim, test_a/bt601_psnr, test_a/bt601_ssim, '
        'test_a/input_qian_psnr, test_a/input_qian_ssim, test_a/input_bt601_psnr, test_a/input_bt601_ssim',
}  # fmt: skip
OPTIONS |= {
    'train_cfg.by_epoch=True': 'expected no such field beside train_cfg.type',
    'env_cfg.foo=1': 'env_cfg has no such field',
    'model.test_cfg.foo=1': 'test_cfg has no such field',
}


@pytest.fixture(scope='module')
def base(tmp_path_factory):
    """Options that place the data of the tiny config."""
    pairs = write_pairs(tmp_path_factory.mktemp('data') / 'pairs')
    return parse_options(list(map(str, data_options(pairs))))


@pytest.mark.parametrize('option', OPTIONS)
def test_options(option, base, tmp_path):
    with pytest.raises(UserError) as caught:
        train(TINY_CONFIG, {**base, **parse_options([option])}, work_dir=tmp_path / 'w')
    assert str(caught.value) == f'config field {option.partition("=")[0]}: {OPTIONS[option]}'
    assert not list((tmp_path / 'w').rglob('*.pth'))


@pytest.mark.parametrize('option', VALUES)
def test_values(option, tmp_path):
    field = option.partition('=')[0]
    given = parse_options([option])
    with pytest.raises(UserError) as caught:
        train(DRAWN, given, work_dir=tmp_path / 'w')
    assert (
        str(caught.value)
        == f'config field {field}: expected {VALUES[option]}, got {given[field]!r}'
    )


def test_a_test_names_wrong_values_too(tmp_path):
    with pytest.raises(UserError, match='config field model: expected a dict, got 3'):
        attentive_gan.test(DRAWN, tmp_path / 'w.pth', {'model': 3}, work_dir=tmp_path / 'w')


LINES = {
    "optim_wraper = dict(type='OptimWrapper')":
        "config field optim_wraper: nothing reads it; did you mean 'optim_wrapper'?",
    "optim_wrapper = dict(generator=dict(optimizer=dict(lr='1e-4')))": 'write it without quotes',
    "custom_imports = dict(imports=['attentive_gan.registraton'])":
        "there is no module 'attentive_gan.registraton'; did you mean 'attentive_gan.registration'?",
    "custom_imports = dict(imports=['my_project.nets'])":
        r"my_project.nets cannot be imported (No module named 'my_project'); set PYTHONPATH",
    "custom_imports = 'attentive_gan.registration'": 'custom_imports must be dict(imports=[',
    "runner_type = 'RestorationRuner'": "did you mean 'RestorationRunner'?",
}  # fmt: skip


@pytest.mark.parametrize('line', LINES)
def test_files(line, base, tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text(f'_base_ = {str(TINY_CONFIG)!r}\n{line}\n')
    with pytest.raises(UserError) as caught:
        train(config, base, work_dir=tmp_path / 'w')
    assert LINES[line] in str(caught.value)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('folder', sorted(p.name for p in (REPOSITORY / 'configs').iterdir()))
def test_nothing_is_wrong_with_the_configs_here(folder):
    path = REPOSITORY / 'configs' / folder
    for config in sorted(path.rglob('*.py')) if path.is_dir() else [path]:
        if config.suffix == '.py':
            loaded = load_config(str(config))
            assert list(faults(loaded)) == [], config
            check_values(loaded)


def test_values_that_only_look_wrong():
    config = dict(
        pipeline=dict(type='own'), models=['a'], work_dir='runs', train_cfg=dict(type='own.Loop', a=1),
        model=dict(type='AttentiveGAN', generator=dict(type='elsewhere.Network', channels='wide')),
        custom_hooks=[dict(type='EMAHook', ema_type='StochasticWeightAverage', priority='NORMAL')],
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', save_best='psnr', meta={})),
    )  # fmt: skip
    assert [str(fault) for fault in faults(config) if fault.certain] == [
        "config field models: nothing reads it; did you mean 'model'?"
    ]


VARIABLES = [
    'RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT', 'SLURM_PROCID', 'SLURM_NTASKS',
    'SLURM_NODELIST', 'OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK',
]  # fmt: skip


@pytest.mark.parametrize(
    ('launcher', 'given', 'message'),
    [
        ('pytorch', {}, 'RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT not set; start by tools/dist_train'),
        ('pytorch', {'RANK': '0', 'WORLD_SIZE': '2', 'MASTER_ADDR': 'a'}, 'pytorch: MASTER_PORT not set'),
        ('pytorch', {'RANK': 'x', 'WORLD_SIZE': '2', 'MASTER_ADDR': 'a', 'MASTER_PORT': '1'},
         'RANK=x is no number'),
        ('slurm', {}, 'SLURM_PROCID, SLURM_NTASKS, SLURM_NODELIST not set; start by tools/slurm_train'),
        ('mpi', {'MASTER_ADDR': 'a'}, 'OMPI_COMM_WORLD_LOCAL_RANK not set; start by mpirun'),
    ],
)  # fmt: skip
def test_missing_variables_of_a_launcher(launcher, given, message, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=message):
        start_process_group(launcher, 'gloo')


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (('dist_train.sh', 'c.py', 'two'), 'PROCESSES must be a number from 1 on, not two'),
        (('dist_test.sh', 'c.py', 'w.pth', '0'), 'PROCESSES must be a number from 1 on, not 0'),
        (('slurm_train.sh', 'p', 'j', 'c.py', 'w'), 'no srun found'),
        (('slurm_test.sh', 'p', 'j', 'c.py', 'w.pth'), 'no srun found'),
    ],
)
def test_scripts(words, message):
    script = str(Path(REPOSITORY) / 'tools' / words[0])
    done = subprocess.run(
        ['bash', script, *words[1:]], capture_output=True, text=True, check=False,
        env={'PATH': '/usr/bin:/bin'},
    )  # fmt: skip
    assert done.returncode == 2
    assert message in done.stderr

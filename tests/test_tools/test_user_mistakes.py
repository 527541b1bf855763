"""What goes wrong for users is said in one line, before training, without a traceback."""

from __future__ import annotations

import pytest
from PIL import Image
from support.runs import TINY_CONFIG, data_options, tool, write_pairs


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp('data') / 'pairs')


def message(done):
    """Return the error line of a failed tool."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert 'Traceback' not in done.stderr, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert len(lines) == 1, done.stderr
    return lines[0]


def train(data, work_dir, *arguments, options=(), **variables):
    return tool(
        'train.py', TINY_CONFIG, '--work-dir', work_dir, *arguments,
        '--cfg-options', *data_options(data), *options, **variables,
    )  # fmt: skip


@pytest.mark.parametrize(
    ('option', 'words'),
    [
        ('model.generator.num_stepz=3', ['model', 'num_stepz']),
        ('train_cfg.max_itres=3', ['train_cfg', 'max_itres']),
        ('train_dataloader.dataset.pipeline.2.type=PairedCropp', ['PairedCropp']),
        ('model.map_target=maks', ['map_target', 'maks']),
    ],
)
def test_wrong_config_fields(data, tmp_path, option, words):
    line = message(train(data, tmp_path, options=[option]))
    assert all(word in line for word in words), line


def test_dataset_mistakes_are_named_before_training(data, tmp_path):
    line = message(train(tmp_path / 'nowhere', tmp_path / 'w'))
    assert 'nowhere' in line
    cut = write_pairs(tmp_path / 'cut', count=3)
    image = cut / 'data' / '1_rain.png'
    image.write_bytes(image.read_bytes()[:-30])
    assert '1_rain.png' in message(train(cut, tmp_path / 'w'))
    unpaired = write_pairs(tmp_path / 'unpaired', count=3)
    (unpaired / 'gt' / '2_clean.png').unlink()
    assert '2_rain.png' in message(train(unpaired, tmp_path / 'w'))
    assert not list((tmp_path / 'w').glob('*.pth'))


def test_checkpoint_mistakes(data, tmp_path):
    options = ['--cfg-options', *data_options(data)]
    line = message(
        tool('test.py', TINY_CONFIG, tmp_path / 'nowhere.pth', '--work-dir', tmp_path, *options)
    )
    assert 'nowhere.pth' in line
    assert '--resume' in message(train(data, tmp_path / 'empty', '--resume'))


def test_missing_cuda(data, tmp_path):
    line = message(train(data, tmp_path, '--amp', CUDA_VISIBLE_DEVICES=''))
    assert 'CUDA' in line


def test_losses_that_are_not_numbers_stop_training(data, tmp_path):
    line = message(train(data, tmp_path, POISON_AT='4'))
    assert 'iteration 4' in line
    assert '_rain.png' in line
    assert sorted(path.name for path in tmp_path.glob('iter_*.pth')) == ['iter_2.pth', 'iter_3.pth']


def test_resuming_another_training_is_refused(data, tmp_path):
    assert train(data, tmp_path, KILL_AT='3').returncode != 0
    line = message(train(data, tmp_path, '--resume', '--seed', '7'))
    assert 'seed 2018 -> 7' in line


@pytest.mark.fault('C1')
@pytest.mark.parametrize('workers', [0, 1])
def test_images_damaged_in_the_middle_are_named_when_they_are_decoded(tmp_path, workers):
    """The check at the start looks at both ends of a file only; nothing is skipped or replaced."""
    damaged = write_pairs(tmp_path / 'damaged', count=2)
    for image in (damaged / 'data').iterdir():
        content = bytearray(image.read_bytes())
        content[len(content) // 2 : len(content) // 2 + 40] = bytes(40)
        image.write_bytes(bytes(content))
    done = train(damaged, tmp_path / 'w', options=[f'train_dataloader.num_workers={workers}'])
    assert '_rain.png' in message(done)


def test_batches_of_unequal_images_are_refused_before_training(data, tmp_path):
    mixed = write_pairs(tmp_path / 'mixed', count=2)
    for name in ('data/1_rain.png', 'gt/1_clean.png'):
        with Image.open(mixed / name) as image:
            image.crop((0, 0, image.width, image.height - 8)).save(mixed / name)
    line = message(
        train(data, tmp_path / 'w', options=[
            f'val_dataloader.dataset.data_root={mixed}', 'val_dataloader.batch_size=2',
        ])
    )  # fmt: skip
    assert 'set val_dataloader.batch_size=1' in line

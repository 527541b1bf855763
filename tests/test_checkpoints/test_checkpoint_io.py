"""Checkpoints are read without running code, damage is found, and no write loses an old file."""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from pathlib import PosixPath
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from attentive_gan.checkpoints.description import read_description
from attentive_gan.config.stored_config import read_stored_config
from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_checkpoint, verify_checkpoint, write_checkpoint
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from torch import nn


class Malicious:
    """Runs a command when it is unpickled."""

    def __init__(self, sentinel):
        self.sentinel = sentinel

    def __reduce__(self):
        return os.system, (f'touch {self.sentinel}',)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / 'iter_1.pth'
    write_checkpoint({'state_dict': {'weight': torch.arange(1000.0)}, 'meta': {'iter': 1}}, path)
    return path


def test_round_trip(checkpoint):
    loaded = read_checkpoint(checkpoint)
    assert loaded['meta'] == {'iter': 1}
    assert torch.equal(loaded['state_dict']['weight'], torch.arange(1000.0))
    assert [item.name for item in checkpoint.parent.iterdir()] == ['iter_1.pth']


def test_reads_what_mmengine_pickles(tmp_path):
    """History buffers and NumPy values, which torch >= 2.6 refuses by default."""
    path = tmp_path / 'stock.pth'
    content = {
        'state_dict': OrderedDict(weight=torch.ones(2)),
        'message_hub': {
            'log_scalars': OrderedDict(loss=HistoryBuffer([1.0, 3.0], [1, 1])),
            'runtime_info': OrderedDict(score=np.float64(2.5), values=np.arange(3)),
        },
    }
    torch.save(content, path)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    hub = read_checkpoint(path)['message_hub']
    assert hub['log_scalars']['loss'].mean() == 2.0
    assert hub['runtime_info']['score'] == 2.5


@pytest.mark.fault('E1')
@pytest.mark.parametrize('zipped', [True, False])
def test_pickled_code_does_not_run(tmp_path, zipped):
    path, sentinel = tmp_path / 'evil.pth', tmp_path / 'ran'
    torch.save(
        {'state_dict': {}, 'x': Malicious(sentinel)}, path, _use_new_zipfile_serialization=zipped
    )
    with pytest.raises(UserError, match=r'evil\.pth cannot be read as plain tensors'):
        read_checkpoint(path)
    assert not sentinel.exists()


@pytest.mark.fault('E1')
def test_getattr_gives_no_way_in(tmp_path):
    """`builtins.getattr`, which MMEngine's files need, must not reach anything else."""
    path, sentinel = tmp_path / 'gadget.pth', tmp_path / 'ran'

    class Gadget:
        def __reduce__(self):
            return getattr, (HistoryBuffer, '__init__')

    torch.save({'x': Gadget()}, path)
    with pytest.raises(UserError, match='plain tensors'):
        read_checkpoint(path)
    assert not sentinel.exists()


@pytest.mark.parametrize('kept', [0, 1, 0.5, -1])
def test_truncation_is_found(checkpoint, kept):
    data = checkpoint.read_bytes()
    size = (
        int(len(data) * kept) if isinstance(kept, float) else kept if kept >= 0 else len(data) - 1
    )
    checkpoint.write_bytes(data[:size])
    with pytest.raises(UserError, match=r'iter_1\.pth'):
        read_checkpoint(checkpoint)


def test_flipped_bits_are_found(checkpoint):
    """torch loads these silently."""
    data = bytearray(checkpoint.read_bytes())
    position = data.index(torch.arange(100.0, 110.0).numpy().tobytes())
    data[position] ^= 0xFF
    checkpoint.write_bytes(bytes(data))
    assert not torch.equal(
        torch.load(checkpoint, weights_only=True)['state_dict']['weight'], torch.arange(1000.0)
    )
    assert 'checksum' in verify_checkpoint(checkpoint)
    with pytest.raises(UserError, match='damaged'):
        read_checkpoint(checkpoint)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r'not found: .*nowhere\.pth'):
        read_checkpoint(tmp_path / 'nowhere.pth')


def test_failed_write_keeps_the_old_file(checkpoint, monkeypatch):
    before = checkpoint.read_bytes()

    def full_disk(*_args):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full_disk)
    with pytest.raises(UserError, match='No space left on device'):
        write_checkpoint({'state_dict': {}}, checkpoint)
    assert checkpoint.read_bytes() == before
    assert [item.name for item in checkpoint.parent.iterdir()] == ['iter_1.pth']


@pytest.mark.parametrize('hidden', [False, True])
def test_an_interrupt_while_writing_is_no_full_disk(checkpoint, monkeypatch, hidden):
    before = checkpoint.read_bytes()

    def interrupted(*_args):
        try:
            raise KeyboardInterrupt
        finally:
            if hidden:  # as torch does where it cannot end the archive
                raise RuntimeError('unexpected pos 128 vs 64')

    monkeypatch.setattr(torch, 'save', interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint({'state_dict': {}}, checkpoint)
    assert checkpoint.read_bytes() == before
    assert [item.name for item in checkpoint.parent.iterdir()] == ['iter_1.pth']


def test_safetensors(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / 'weights.safetensors'
    save_file({'weight': torch.ones(3)}, path)
    assert torch.equal(read_checkpoint(path)['state_dict']['weight'], torch.ones(3))
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(UserError, match='damaged'):
        read_checkpoint(path)


def test_mmengine_loader_uses_it(checkpoint):
    assert CheckpointLoader.load_checkpoint(str(checkpoint))['meta'] == {'iter': 1}


class Reduced:
    """Pickles as a call of a function."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call[0], self.call[1:]


@pytest.mark.parametrize(
    ('call', 'name'),
    [
        ((os.system, 'x'), 'posix.system'),
        ((eval, '1'), 'eval'),
        ((subprocess.Popen, 'x'), 'commands.Popen'),
        ((getattr, OrderedDict, 'fromkeys'), 'OrderedDict.fromkeys'),
    ],
)
@pytest.mark.parametrize('legacy', [False, True])
def test_the_refused_name_is_told(tmp_path, call, name, legacy):
    """And not torch's advice, which is to load without the check.

    Pickles of torch have protocol 2, with names of Python 2.
    """
    path = tmp_path / 'evil.pth'
    if legacy:
        path.write_bytes(pickle.dumps({'a': Reduced(*call)}, 2))
    else:
        torch.save({'a': Reduced(*call)}, path)
    with pytest.raises(UserError, match=f'it asks for {name}') as caught:
        read_checkpoint(path)
    assert 'weights_only' not in str(caught.value)
    assert 'save its weights alone: torch.save(network.state_dict()' in str(caught.value)


SETTINGS = {
    'arguments': argparse.Namespace(a=1, out=PosixPath('runs')),
    'path': PosixPath('runs'),
    'names': SimpleNamespace(a=1),
}


def refused(path):
    """Return the message of a file that is refused."""
    with pytest.raises(UserError, match='pickled code are refused') as caught:
        read_checkpoint(path)
    return str(caught.value)


def run_advice(message, folder):
    """Run the command in a message."""
    code = message.partition('python -c "')[2].removesuffix('"')
    command = [sys.executable, '-c', code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.skipif(os.name == 'nt', reason='makes paths of POSIX')
@pytest.mark.parametrize('name', SETTINGS)
def test_weights_beside_settings_are_kept_by_the_command_of_the_message(tmp_path, name):
    path = tmp_path / 'theirs.pth'
    torch.save({'state_dict': {'weight': torch.ones(2)}, 'args': SETTINGS[name]}, path)
    done = run_advice(refused(path), tmp_path)
    assert done.returncode == 0, done.stderr
    assert torch.equal(read_checkpoint(tmp_path / 'one.pth')['weight'], torch.ones(2))


@pytest.mark.fault('E1')
def test_the_command_of_the_message_runs_no_other_code(tmp_path):
    path, sentinel = tmp_path / 'evil.pth', tmp_path / 'ran'
    harmful = Malicious(sentinel)
    torch.save({'args': argparse.Namespace(), 'state_dict': {}, 'x': harmful}, path)
    assert 'GLOBAL posix.system' in run_advice(refused(path), tmp_path).stderr
    assert not sentinel.exists()


@pytest.mark.parametrize('read', [read_checkpoint, read_description, read_stored_config])
@pytest.mark.parametrize(
    ('content', 'described'),
    [
        ([torch.ones(2), 3], r'a list \(tensor, \.\.\.\)'),
        ((), 'a tuple without entries'),
        (3, 'an int'),
        (None, 'None'),
        (torch.ones(2), 'a tensor'),
        (nn.Parameter(torch.ones(2)), 'a tensor'),
    ],
)
def test_what_is_no_dictionary_is_refused(tmp_path, read, content, described):
    path = tmp_path / 'theirs.pth'
    torch.save(content, path)
    message = rf'theirs\.pth holds {described}, not the weights of a network'
    with pytest.raises(UserError, match=message):
        read(path)


@pytest.mark.parametrize('read', [read_checkpoint, read_description])
@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'<!DOCTYPE html>\n<html>', "is a text file that begins with '<!DOCTYPE html>'"),
        ('Größe'.encode() * 500, 'is a text file'),
        (
            b'version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n',
            'is a Git LFS pointer; fetch the file itself by `git lfs pull`',
        ),
    ],
)
def test_text_is_no_weights(tmp_path, read, suffix, content, message):
    path = tmp_path / f'theirs{suffix}'
    path.write_bytes(content)
    with pytest.raises(UserError, match=f'theirs{suffix} {message}') as caught:
        read(path)
    assert 'weights_only' not in str(caught.value)


def _torchscript(path):
    torch.jit.script(nn.ReLU()).save(path)


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize(
    ('write', 'reason'),
    [
        (lambda path: path.write_bytes(b'\x80\x02v' + bytes(100)), r'\(Unsupported operand 118\)'),
        (lambda path: path.write_bytes(bytes(600)), r'\('),
        (_torchscript, 'it is a TorchScript program'),
    ],
)
def test_no_advice_to_load_without_the_check(tmp_path, write, reason):
    path = tmp_path / 'theirs.pth'
    write(path)
    with pytest.raises(UserError, match=reason) as caught:
        read_checkpoint(path)
    assert 'weights_only' not in str(caught.value)

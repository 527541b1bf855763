"""The newest valid checkpoint is found; nothing starts from scratch."""

from __future__ import annotations

import random

import pytest
import torch
from attentive_gan.engine.runner.resume_points import latest_valid_checkpoint, resumable_checkpoints
from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_checkpoint, write_checkpoint


@pytest.fixture
def work_dir(tmp_path):
    for iteration in (9, 10, 100):
        write_checkpoint(
            {'state_dict': {'w': torch.zeros(100)}}, tmp_path / f'iter_{iteration}.pth'
        )
    write_checkpoint({'state_dict': {}}, tmp_path / 'best_test_a_qian_psnr_iter_200.pth')
    return tmp_path


def test_order_is_by_number(work_dir):
    names = [path.name for path in resumable_checkpoints(work_dir)]
    assert names == ['iter_100.pth', 'iter_10.pth', 'iter_9.pth']


def test_damaged_ones_are_passed_over_with_a_reason(work_dir):
    newest = work_dir / 'iter_100.pth'
    newest.write_bytes(newest.read_bytes()[:-40])
    (work_dir / 'iter_10.pth').write_bytes(b'')
    warnings = []
    assert latest_valid_checkpoint(work_dir, warnings.append).name == 'iter_9.pth'
    assert ['iter_100.pth' in warnings[0], 'iter_10.pth' in warnings[1]] == [True, True]


def damaged(data: bytes) -> dict[str, bytes]:
    """Return a file cut off, overwritten and with flipped bits, in its structure and its contents."""
    size, numbers = len(data), random.Random(0)
    cases = {f'cut to {kept}': data[:kept] for kept in (0, 1, 2, 3, 100, size // 2, size - 1)}
    cases |= {'other first bytes': b'\0\0' + data[2:], 'zeros': bytes(size), 'text': b'hello' * 99}
    directory = data.rindex(b'PK\x01\x02')
    for first, last, count in ((0, size, 150), (directory, size, 150), (0, 300, 100)):
        for _ in range(count):
            position, bit = numbers.randrange(first, last), numbers.randrange(8)
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            cases[f'byte {position} bit {bit}'] = bytes(flipped)
    return cases


@pytest.mark.fault('A5', 'A6')
def test_any_damage_goes_back_to_the_one_before_or_changes_nothing(work_dir):
    newest = work_dir / 'iter_100.pth'
    write_checkpoint({'state_dict': {'w': torch.arange(100.0)}, 'meta': {'iter': 100}}, newest)
    intact = newest.read_bytes()
    passed_over = 0
    for name, data in damaged(intact).items():
        newest.write_bytes(data)
        warnings = []
        found = latest_valid_checkpoint(work_dir, warnings.append)
        if found == newest:  # a bit that nothing reads, such as a time
            content = read_checkpoint(newest)
            assert torch.equal(content['state_dict']['w'], torch.arange(100.0)), name
            assert content['meta'] == {'iter': 100}, name
        else:
            assert (found.name, len(warnings)) == ('iter_10.pth', 1), name
            assert 'iter_100.pth is not used: ' in warnings[0], name
            assert '\n' not in warnings[0], name
            passed_over += 1
            with pytest.raises(UserError, match='iter_100'):
                read_checkpoint(newest)
    assert passed_over > 100


def test_none_is_an_error(tmp_path, work_dir):
    for path in work_dir.glob('iter_*.pth'):
        path.write_bytes(b'')
    with pytest.raises(UserError, match='3 checkpoints there are damaged'):
        latest_valid_checkpoint(work_dir, lambda _: None)
    empty = tmp_path / 'empty'
    empty.mkdir()
    with pytest.raises(UserError, match=r'no valid checkpoint.*there is none'):
        latest_valid_checkpoint(empty, lambda _: None)

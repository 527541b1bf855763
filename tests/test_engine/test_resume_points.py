"""The newest valid checkpoint is found; nothing starts from scratch."""

from __future__ import annotations

import pytest
import torch
from attentive_gan.engine.runner.resume_points import latest_valid_checkpoint, resumable_checkpoints
from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import write_checkpoint


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


def test_none_is_an_error(tmp_path, work_dir):
    for path in work_dir.glob('iter_*.pth'):
        path.write_bytes(b'')
    with pytest.raises(UserError, match='3 checkpoints there are damaged'):
        latest_valid_checkpoint(work_dir, lambda _: None)
    empty = tmp_path / 'empty'
    empty.mkdir()
    with pytest.raises(UserError, match=r'no valid checkpoint.*there is none'):
        latest_valid_checkpoint(empty, lambda _: None)

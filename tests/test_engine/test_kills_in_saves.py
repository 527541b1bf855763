"""A kill at any step of a save leaves a checkpoint to go on from, with max_keep_ckpts=1 too."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from attentive_gan.engine.hooks.verified_checkpoint_hook import VerifiedCheckpointHook
from attentive_gan.engine.runner.resume_points import latest_valid_checkpoint, resumable_checkpoints
from attentive_gan.engine.runner.work_dir import owned
from attentive_gan.utils.checkpoint_io import write_checkpoint
from mmengine.logging import MessageHub


class Runner(SimpleNamespace):
    """What a checkpoint hook needs of a runner."""

    def __init__(self, work_dir):
        super().__init__(
            work_dir=str(work_dir),
            message_hub=MessageHub.get_instance(str(work_dir)),
            logger=logging.getLogger('test'),
            iter=0,
            epoch=0,
        )

    def save_checkpoint(self, out_dir, filename, *_args, meta, **_options):
        content = {'state_dict': {'w': torch.full((5000,), float(meta['iter']))}, 'meta': meta}
        write_checkpoint(content, Path(out_dir) / filename)


def dying(call, after):
    """Return a function that kills its process before or after a call."""

    def die(*args, **options):
        if after:
            call(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    return die


def dying_file(size):
    """Return a `torch.save` that is killed after some bytes."""

    def save(content, file):
        import io

        buffer = io.BytesIO()
        torch_save(content, buffer)
        file.write(buffer.getvalue()[:size])
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    torch_save = torch.save
    return save


STEPS = {
    **{f'written {size}': (torch, 'save', dying_file(size)) for size in (0, 1, 9000, -1)},
    **{
        f'{"after" if after else "before"} {name}': (
            owner,
            name,
            dying(getattr(owner, name), after),
        )
        for owner, name in ((os, 'fsync'), (Path, 'replace'), (os, 'remove'))
        for after in (False, True)
    },
}


@pytest.mark.fault('A2', 'A8')
@pytest.mark.parametrize('step', STEPS)
def test_one_checkpoint_is_always_left(tmp_path, monkeypatch, step):
    hook = VerifiedCheckpointHook(interval=1, by_epoch=False, max_keep_ckpts=1, out_dir=None)
    runner = Runner(tmp_path)
    hook.before_train(runner)
    runner.iter = 1
    hook.save_now(runner)
    assert [path.name for path in resumable_checkpoints(tmp_path)] == ['iter_1.pth']

    owner, name, replacement = STEPS[step]
    pid = os.fork()
    if pid == 0:
        try:
            setattr(owner, name, replacement)
            runner.iter = 2
            hook.save_now(runner)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), 'the step was not reached'

    with owned(tmp_path, anew=False):
        found = latest_valid_checkpoint(tmp_path, pytest.fail)
    assert found.name in ('iter_1.pth', 'iter_2.pth')
    assert list(tmp_path.glob('.*.tmp*')) == []

"""E. Files of others that a training reads."""

from __future__ import annotations

import os

import pytest
import torch


class Payload:
    """Pickled, it makes a file when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.fault('E1')
@pytest.mark.parametrize('zipped', [True, False])
def test_pickled_code_in_weights_is_not_run(run, tmp_path, zipped):
    harm = tmp_path / 'harm'
    content = {'state_dict': {'w': torch.zeros(2)}, 'meta': Payload(harm)}
    torch.save(content, tmp_path / 'w.pth', _use_new_zipfile_serialization=zipped)
    done = run(load_from=tmp_path / 'w.pth', max_iters=1)
    assert not harm.exists()
    assert done.returncode > 0
    assert 'mkdir' in done.stderr.strip().splitlines()[-1]


@pytest.mark.fault('E2')
def test_code_in_the_config_of_a_checkpoint_is_not_run(run, whole, tmp_path):
    harm = tmp_path / 'harm'
    source = whole.work_dir(random=False) / 'iter_4.pth'
    content = torch.load(source, weights_only=False)
    for name in ('cfg', 'config'):
        content['meta'][name] = f'x = __import__("os").mkdir({str(harm)!r})\n'
    torch.save(content, tmp_path / 'iter_4.pth')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_4.pth'))
    run(resume=True, random=False)
    assert not harm.exists()


@pytest.mark.fault('E4')
def test_code_in_a_yaml_config_is_not_run(run, tmp_path):
    harm = tmp_path / 'harm'
    config = tmp_path / 'evil.yaml'
    config.write_text(f'model: !!python/object/apply:os.mkdir [{harm}]\n')
    done = run(config=config)
    assert not harm.exists()
    assert done.returncode > 0


@pytest.mark.fault('E9')
def test_a_training_needs_no_network(run):
    done = run(NO_NETWORK=1)
    assert done.returncode == 0, done.stderr

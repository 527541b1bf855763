"""What torch reports about lost processes is said in one line with what to do."""

from __future__ import annotations

import pytest
from attentive_gan.engine.runner.worker_errors import worker_errors
from attentive_gan.errors import UserError

pytestmark = pytest.mark.fault

REPORTS = {
    'DataLoader worker (pid 32086) is killed by signal: Killed. ': r'process 32086.*b\.png.*dmesg',
    'DataLoader worker (pid(s) 7, 8) exited unexpectedly': r'process 7, 8.*b\.png',
    'DataLoader worker (pid 9) is killed by signal: Bus error. It is possible that the workers are out of '
    'shared memory.': r'shared memory \(/dev/shm\)',
    'unable to allocate shared memory(shm) for file </torch_3_2>: No space left on device (28)': 'shm-size',
    'DataLoader timed out after 3 seconds': r'within 3 seconds.*b\.png.*timeout',
    '[../gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 15000ms for recv operation':
    r'another process.*did not answer.*env_cfg\.dist_cfg\.timeout',
    '[../gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:4096': 'another process',
}  # fmt: skip


@pytest.mark.parametrize('report', REPORTS)
def test_one_line_with_advice(report):
    with pytest.raises(UserError, match=REPORTS[report]) as found, worker_errors(lambda: ['b.png']):
        raise RuntimeError(report)
    assert '\n' not in str(found.value)


@pytest.mark.parametrize('error', [RuntimeError('size mismatch'), UserError('Broken pipe')])
def test_other_errors_stay(error):
    with pytest.raises(type(error)) as found, worker_errors(list):
        raise error
    assert found.value is error


def test_a_lost_worker_is_found_behind_the_error_of_a_library():
    def as_mmengine_does():
        try:
            raise RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed. ')
        except RuntimeError:
            raise SyntaxError('Failed to format the config file')  # noqa: B904

    with pytest.raises(UserError, match=r'process 7.*b\.png'), worker_errors(lambda: ['b.png']):
        as_mmengine_does()

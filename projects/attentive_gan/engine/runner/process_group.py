"""Starts distributed training, with or without GPUs."""

from __future__ import annotations

import datetime
import os
from typing import Any

import torch
from mmengine.dist import init_dist

from attentive_gan.errors import UserError

#: Variables that a launcher sets and that are read here, and how to start by it.
_VARIABLES = {
    'pytorch': (
        ('RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT'),
        'tools/dist_train.sh CONFIG GPUS',
    ),
    'slurm': (('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_NODELIST'), 'tools/slurm_train.sh'),
    'mpi': (
        ('MASTER_ADDR', *(f'OMPI_COMM_WORLD_{part}' for part in ('RANK', 'SIZE', 'LOCAL_RANK'))),
        'mpirun',
    ),
}
#: Those of them that are no numbers.
_TEXTS = ('MASTER_ADDR', 'SLURM_NODELIST')
#: Seconds after which a process that does not answer is given up (`env_cfg.dist_cfg.timeout`). That is what
#: workers of a data loader have; torch waits for half an hour on gloo.
GROUP_TIMEOUT = 600


def start_process_group(launcher: str, backend: str, **options: Any) -> None:
    """Join the process group of a launcher.

    MMEngine 0.10.7 sets a CUDA device for any backend, so it needs a GPU.

    Args:
        launcher: `pytorch`, `slurm` or `mpi`.
        backend: `nccl` or `gloo`.
        options: Further options of `torch.distributed.init_process_group`; `timeout` in seconds.

    Raises:
        UserError: Variables of the launcher are missing, more processes than GPUs, or a launcher that needs
            GPUs.
    """
    _check_variables(launcher)
    if launcher == 'pytorch':
        options |= _store_of_restart()
    if torch.cuda.is_available():
        rank, devices = int(os.environ.get('LOCAL_RANK', '0')), torch.cuda.device_count()
        if launcher == 'pytorch' and rank >= devices:
            raise UserError(
                f'process {rank} has no GPU of its own: this machine has {devices}; start at most '
                f'{devices} processes'
            )
        init_dist(launcher, backend=backend, **options)
        return
    if launcher != 'pytorch':
        raise UserError(
            f'--launcher {launcher} needs CUDA devices and none was found; without GPUs use '
            '--launcher pytorch (tools/dist_train.sh)'
        )
    if options.get('timeout') is not None:
        options['timeout'] = datetime.timedelta(seconds=options['timeout'])
    torch.distributed.init_process_group(backend=backend, **options)


def _store_of_restart() -> dict[str, Any]:
    """Return options with a store of its own for processes that torchrun has started again.

    torchrun (of torch 2.14) keeps its store over restarts. The addresses of the lost processes are still
    in it, and the new ones try to connect to them until they give up. The number of restarts, with which
    the names in the store begin here, is the same for all processes of one machine only.
    """
    count = os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')
    shared = os.environ.get('TORCHELASTIC_USE_AGENT_STORE') == 'True'
    if count == '0' or not shared or os.environ.get('GROUP_WORLD_SIZE') != '1':
        return {}
    rank, size = int(os.environ['RANK']), int(os.environ['WORLD_SIZE'])
    distributed: Any = torch.distributed  # whose stores are not among its declared names
    store = distributed.TCPStore(
        os.environ['MASTER_ADDR'], int(os.environ['MASTER_PORT']), size, is_master=False
    )
    prefixed = distributed.PrefixStore(f'restart_{count}', store)
    return dict(store=prefixed, rank=rank, world_size=size)


def _check_variables(launcher: str) -> None:
    """Raise if the environment is not that of a launcher.

    Raises:
        UserError: Variables are missing, or are no numbers.
    """
    names, command = _VARIABLES.get(launcher, ((), ''))
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise UserError(
            f'--launcher {launcher}: {", ".join(missing)} not set; start by {command}, or omit --launcher '
            'for one process'
        )
    for name in names:
        if name not in _TEXTS and not os.environ[name].isdecimal():
            raise UserError(f'--launcher {launcher}: {name}={os.environ[name]} is no number')

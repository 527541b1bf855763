"""Report installed packages, fixes applied to the toolbox, devices and optional features."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from .common import echo

#: (feature, import name, how to install it).
_FEATURES = (
    ('ONNX files', 'onnxruntime', 'pip install -e ".[export]"'),
    ('weights of other projects', 'spandrel', 'pip install -e ".[spandrel]"'),
    ('local web page', 'waitress', 'pip install -e ".[app]"'),
    ('running the tests', 'pytest', 'pip install -e ".[dev]"'),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `doctor`."""
    parser.add_argument('--brief', action='store_true', help='one line, unless something is wrong')


def run(args: argparse.Namespace) -> None:
    """Print the report.

    Raises:
        UserError: A required package is missing or outside of the versions that are known to work.
    """
    from rich.console import Console
    from rich.table import Table

    import attentive_gan
    from attentive_gan import compat

    versions = [
        (item.distributions[0], str(compat.installed_version(*item.distributions)))
        for item in compat.requirements()
    ]
    compat.prepare()
    if args.brief:
        listed = ', '.join(f'{name} {version}' for name, version in versions)
        echo(f'[doctor] attentive_gan {attentive_gan.__version__} works with {listed}')
        return
    console = Console(width=100)
    python = f'Python {sys.version.split()[0]}, {platform.platform()}'
    console.print(f'attentive_gan {attentive_gan.__version__}, {python}')

    def show(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
        table = Table(*columns, title=title, title_justify='left')
        for row in rows:
            table.add_row(*row)
        console.print(table)

    show('Packages', ('package', 'version'), versions)
    fixes = [(s.name, 'yes' if s.active else 'not needed', s.reason) for s in compat.report()]
    show('Toolbox', ('what', 'fixed', 'why'), fixes)
    show('Devices', ('device',), _devices())
    show('Features', ('feature', 'here', 'otherwise'), _features())


def _devices() -> list[tuple[str]]:
    """Return the devices that torch can use."""
    import torch

    gpus = [
        f'cuda:{index} {torch.cuda.get_device_name(index)}, '
        f'{torch.cuda.get_device_properties(index).total_memory / 2**30:.0f} GiB'
        for index in range(torch.cuda.device_count())
    ]
    cpu = f'cpu, {os.cpu_count()} cores, {torch.get_num_threads()} threads'
    return [(device,) for device in (*gpus, cpu)]


def _features() -> list[tuple[str, str, str]]:
    """Return (feature, yes or no, remedy) for what is optional."""
    import torch

    rows = [
        (feature, importlib.util.find_spec(name) is not None, remedy)
        for feature, name, remedy in _FEATURES
    ]
    vgg = Path(torch.hub.get_dir()) / 'checkpoints' / 'vgg16-397923af.pth'
    compiler = any(shutil.which(name) for name in ('c++', 'g++', 'clang++'))
    rows += [
        ('perceptual loss (VGG16 weights)', vgg.is_file(),
         'a training downloads them, or says where to put them'),
        ('training on a GPU', torch.cuda.is_available(), 'a CUDA device and its driver'),
        ('torch.compile on the CPU', compiler, 'sudo apt-get install g++ python3-dev'),
    ]  # fmt: skip
    return [(name, 'yes' if here else 'no', '' if here else remedy) for name, here, remedy in rows]

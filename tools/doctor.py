"""Say what is installed, what was mended in the toolbox and why, and what is missing for what."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import sys

from attentive_gan.cli.common import run

#: (feature, import name or program, how to get it).
_FEATURES = (
    ('TensorBoard logs', 'tensorboard', 'pip install tensorboard'),
    ('paper metrics (SSIM)', 'skimage', 'pip install scikit-image'),
    ('weights as .safetensors', 'safetensors', 'pip install safetensors'),
    ('running the tests', 'pytest', 'pip install -r requirements/dev.txt'),
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--brief', action='store_true', help='one line, unless something is wrong')
    return parser.parse_args()


def devices() -> list[str]:
    """List the devices that torch can use."""
    import torch

    found = [
        f'cuda:{index} {torch.cuda.get_device_name(index)}, '
        f'{torch.cuda.get_device_properties(index).total_memory / 2**30:.0f} GiB'
        for index in range(torch.cuda.device_count())
    ]
    return [*found, f'cpu, {os.cpu_count()} cores, {torch.get_num_threads()} threads']


def features() -> list[tuple[str, bool, str]]:
    """Return (feature, available, remedy) for what is optional."""
    import torch

    rows = [
        (feature, importlib.util.find_spec(name) is not None, remedy)
        for feature, name, remedy in _FEATURES
    ]
    vgg = os.path.join(torch.hub.get_dir(), 'checkpoints', 'vgg16-397923af.pth')  # noqa: PTH118
    rows.append((
        'perceptual loss (VGG16 weights)', os.path.isfile(vgg),  # noqa: PTH113
        'the error message of a training tells where to put them',
    ))  # fmt: skip
    rows.append(('training on a GPU', torch.cuda.is_available(), 'a CUDA device and its driver'))
    compiler = any(shutil.which(name) for name in ('c++', 'g++', 'clang++'))
    rows.append(('torch.compile on the CPU', compiler, 'sudo apt-get install g++ python3-dev'))
    return rows


def main() -> None:
    """Print the report."""
    args = parse_args()
    import attentive_gan
    from attentive_gan import compat
    from rich.console import Console
    from rich.table import Table

    versions = {
        '/'.join(item.distributions[:1]): str(compat.installed_version(*item.distributions))
        for item in compat.requirements()
    }
    if args.brief:
        listed = ', '.join(f'{name} {version}' for name, version in versions.items())
        print(f'[doctor] attentive_gan {attentive_gan.__version__} works with {listed}')
        return
    console = Console(width=100)
    console.print(
        f'attentive_gan {attentive_gan.__version__}, Python {sys.version.split()[0]}, '
        f'{platform.platform()}'
    )
    table = Table('package', 'version', title='Host packages', title_justify='left')
    for name, version in versions.items():
        table.add_row(name, version)
    console.print(table)
    table = Table('what', 'mended', 'why', title='Toolbox', title_justify='left')
    for shim in compat.report():
        table.add_row(shim.name, 'yes' if shim.active else 'not needed', shim.reason)
    console.print(table)
    table = Table('device', title='Devices', title_justify='left')
    for device in devices():
        table.add_row(device)
    console.print(table)
    table = Table('feature', 'here', 'otherwise', title='Features', title_justify='left')
    for feature, available, remedy in features():
        table.add_row(feature, 'yes' if available else 'no', '' if available else remedy)
    console.print(table)


if __name__ == '__main__':
    run(main)

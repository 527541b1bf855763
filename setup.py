"""Packaging of `attentive_gan`, a raindrop-removal plugin for MMagic.

MMagic and mmcv are deliberately not listed as requirements: MMagic 1.2.0 asks for about a hundred
packages that this plugin never touches, and a compiled mmcv that a user has must not be replaced by
mmcv-lite. `requirements/toolbox.txt` holds both, to be installed with `--no-deps`.
"""

from __future__ import annotations

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent

#: Files that are installed from configs and tools.
SUFFIXES = ('md', 'py', 'sh', 'yml')


def requirements(name: str) -> list[str]:
    """Read the lines of `requirements/<name>.txt` without comments, and of the files that it includes."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    found: list[str] = []
    for line in filter(None, (line.split('#')[0].strip() for line in lines)):
        included = line.startswith('-r ')
        found += requirements(Path(line[3:].strip()).stem) if included else [line]
    return found


setup(
    name='attentive_gan',
    version='0.1.0',
    description='Raindrop removal with the Attentive GAN (CVPR 2018), as a plugin for MMagic',
    long_description=(ROOT / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    python_requires='>=3.10',
    package_dir={'': 'projects'},
    packages=find_packages('projects'),
    # .mim holds links to configs, tools and the model index, where MIM and `attentive_gan::` look for them.
    package_data={
        'attentive_gan': [
            'py.typed',
            'weights/*',
            '*/assets/*',
            *(f'.mim/**/*.{s}' for s in SUFFIXES),
        ],
        'drawn_scenes': ['py.typed'],
        'raindrop_renderer': ['py.typed'],
    },
    entry_points={
        'console_scripts': [
            'attentive-gan=attentive_gan.cli.main:main',
            'attentive-gan-restore=attentive_gan.cli.restore:console',
        ]
    },
    install_requires=requirements('runtime'),
    extras_require={
        name: requirements(name) for name in ('dev', 'export', 'app', 'heic', 'spandrel')
    },
)

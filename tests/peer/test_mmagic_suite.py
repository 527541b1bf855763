"""MMagic's own unit tests for the parts that we use, with the compatibility fixes (docs/peer_tests.md)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
from attentive_gan.compat.lean_mmagic import EDITORS

HERE = Path(__file__).resolve().parent
MODELS = 'tests/test_models'
GROUPS = {
    'transforms': 'tests/test_datasets/test_transforms',
    'basic_image_dataset': 'tests/test_datasets/test_basic_image_dataset.py',
    'losses': f'{MODELS}/test_losses',
    'base_models': f'{MODELS}/test_base_models',
    'data_preprocessors': f'{MODELS}/test_data_preprocessors',
    'psnr': 'tests/test_evaluation/test_metrics/test_psnr.py',
    'ssim': 'tests/test_evaluation/test_metrics/test_ssim.py',
    'evaluator': 'tests/test_evaluation/test_evaluator.py',
    **{editor: f'{MODELS}/test_editors/test_{editor}' for editor in EDITORS},
    'structures': 'tests/test_structures',
    'visualization': 'tests/test_visualization',
    'engine': 'tests/test_engine',
}
#: How Python and MMEngine say that a class of a model is not there; the group is its name.
NOT_LOADED = (
    r"cannot import name '(\w+)' from 'mmagic\.models",
    r'(\w+) is not in the mmagic::model registry',
    r"module 'mmagic\.models[\w.]*' has no attribute '(\w+)'",
)


@dataclass(frozen=True)
class KnownFailure:
    test: str
    error: str
    cause: str

    def fits(self, test: str, error: str) -> bool:
        return fnmatchcase(test, self.test) and re.search(self.error, error) is not None


def read_known(path: Path) -> list[KnownFailure]:
    """Read `test | text of the error | cause`; the text may hold | without blanks around it."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith('#')]
    return [KnownFailure(*line.split(' | ')) for line in lines]


def classes_of_other_editors() -> set[str]:
    """Return the names of all classes in MMagic's editors that the compatibility layer does not load."""
    folder = Path(find_spec('mmagic').origin).parent / 'models' / 'editors'
    others = [path for path in folder.iterdir() if path.is_dir() and path.name not in EDITORS]
    text = '\n'.join(file.read_text() for path in others for file in path.rglob('*.py'))
    return set(re.findall(r'^class (\w+)', text, flags=re.MULTILINE))


def cause_of(test: str, error: str, known: list[KnownFailure], others: set[str]) -> str | None:
    """Return why a failure is known, or None for a new one."""
    for failure in known:
        if failure.fits(test, error):
            return failure.cause
    named = [name for pattern in NOT_LOADED for name in re.findall(pattern, error)]
    return f'editor of {named[0]} is not loaded' if named and named[0] in others else None


def read_report(path: Path) -> tuple[int, dict[str, str]]:
    """Return the number of passed tests and the errors of the others by test, from a JUnit file."""
    passed, errors = 0, {}
    for case in ElementTree.parse(path).iter('testcase'):
        faults = [child for child in case if child.tag in ('failure', 'error')]
        file = case.get('file') or case.get('name').replace('.', '/') + '.py'
        owner = case.get('classname', '').rpartition('.')[2]
        middle = f'{owner}::' if owner and owner != Path(file).stem else ''
        name = f'{file}::{middle}{case.get("name")}'
        if faults:
            errors[name] = '\n'.join(f'{f.get("message")}\n{f.text}' for f in faults)
        elif case.find('skipped') is None:
            passed += 1
    return passed, errors


def run_group(source: Path, target: str, folder: Path) -> tuple[int, dict[str, str], str]:
    """Run MMagic's tests below `target` in a process of their own; add the end of its output."""
    report = folder / 'report.xml'
    command = [sys.executable, str(HERE / 'run_mmagic_tests.py'), str(source), target, str(report)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=1800, cwd=folder
    )
    output = (done.stdout + done.stderr)[-2000:]
    assert report.is_file(), output
    return *read_report(report), output


@pytest.fixture(scope='module')
def source() -> Path:
    """The MMagic source tree; skips without one, fails on one of another version."""
    if not os.environ.get('MMAGIC_SRC'):
        pytest.skip('set MMAGIC_SRC to an MMagic 1.2.0 source tree to run its own tests')
    folder = Path(os.environ['MMAGIC_SRC']).resolve()
    assert (folder / 'tests').is_dir(), f'MMAGIC_SRC={folder} has no folder tests'
    versions = [
        re.search(r"__version__ = '(.+?)'", (root / 'version.py').read_text()).group(1)
        for root in (folder / 'mmagic', Path(find_spec('mmagic').origin).parent)
    ]
    # A suffix, such as that of a development version, does no harm.
    assert versions[0].startswith(versions[1]), f'{folder} is of {versions[0]}, not {versions[1]}'
    return folder


@pytest.mark.parametrize('group', GROUPS)
def test_mmagic_passes_its_own_tests(source, group, tmp_path):
    passed, errors, output = run_group(source, GROUPS[group], tmp_path)
    known, others = read_known(HERE / 'known_failures.txt'), classes_of_other_editors()
    new = {test: e for test, e in errors.items() if cause_of(test, e, known, others) is None}
    assert not new, '\n\n'.join(f'NEW: {test}\n{error[-800:]}' for test, error in new.items())
    assert passed or errors, f'no test ran in {GROUPS[group]}\n{output}'


def test_every_known_failure_has_a_cause():
    known = read_known(HERE / 'known_failures.txt')
    assert known
    assert all(failure.cause.strip() and re.compile(failure.error) for failure in known)
    roots = (*GROUPS.values(), 'tests/test_evaluation/test_metrics')
    assert all(failure.test.startswith(roots) for failure in known)


def test_new_failures_are_distinguished_from_known_ones():
    known = [KnownFailure('tests/test_a.py::*', 'lmdb|av', 'absent')]
    assert (
        cause_of('tests/test_a.py::test_x', 'ImportError: lmdb is needed', known, set()) == 'absent'
    )
    assert cause_of('tests/test_a.py::test_x', 'AssertionError: 1 != 2', known, set()) is None
    assert cause_of('tests/test_b.py::test_x', 'ImportError: lmdb is needed', known, set()) is None
    missing = "ImportError: cannot import name 'SinGAN' from 'mmagic.models' (x.py)"
    assert cause_of('tests/test_b.py::test_x', missing, known, {'SinGAN'})
    assert cause_of('tests/test_b.py::test_x', missing, known, {'PGGAN'}) is None


def test_the_runner_reports_passed_failed_and_broken_files(tmp_path):
    """A source tree of three little tests that need the compatibility fixes."""
    (tmp_path / 'tests').mkdir()
    (tmp_path / 'tests' / 'test_good.py').write_text(
        'from mmagic.models import BaseEditModel\n'
        'class TestIt:\n'
        '    def test_passes(self): assert BaseEditModel\n'
        '    def test_fails(self): assert 1 == 2, "one is not two"\n'
    )
    (tmp_path / 'tests' / 'test_broken.py').write_text('import no_such_package\n')
    folder = tmp_path / 'out'
    folder.mkdir()
    passed, errors, _ = run_group(tmp_path, 'tests', folder)
    assert passed == 1
    failed = errors.pop('tests/test_good.py::TestIt::test_fails')
    assert 'one is not two' in failed
    ((broken, error),) = errors.items()
    assert broken.startswith('tests/test_broken.py')
    assert "No module named 'no_such_package'" in error

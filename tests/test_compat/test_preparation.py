"""Fixes of the toolbox: applied where it breaks, and only there."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from attentive_gan import compat
from attentive_gan.compat import fixes, lean_mmagic, placeholders, versions
from attentive_gan.errors import UserError
from torch import nn


def python(code: str) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_fix_is_reported():
    assert [item.name for item in compat.report()] == [
        'NumPy names', 'loader lookup', 'package paths', 'inherited configs', 'lean MMagic',
        'checkpoint reading',
    ]  # fmt: skip
    assert all(item.reason for item in compat.report())


def test_prepare_twice_changes_nothing():
    before = compat.report()
    compat.prepare()
    assert compat.report() == before


def test_numpy_name_is_given_where_it_is_missing(monkeypatch):
    if np.__version__ >= '2':
        monkeypatch.delattr(np, 'bool8', raising=False)
        assert fixes.add_numpy_bool8()[0] is True
    assert np.bool8 is np.bool_
    assert fixes.add_numpy_bool8()[0] is False


def test_loaders_are_found_where_python_no_longer_looks(monkeypatch):
    monkeypatch.delattr(pkgutil, 'find_loader', raising=False)
    assert fixes.add_find_loader()[0] is True
    assert pkgutil.find_loader('json.decoder').name == 'json.decoder'
    assert pkgutil.find_loader('json.nothing') is None
    assert fixes.add_find_loader()[0] is False
    monkeypatch.undo()


def test_installed_path_equals_the_package_folder():
    import mmagic

    assert fixes.installed_path('mmagic') + '/__init__.py' == mmagic.__file__
    with pytest.raises(RuntimeError, match='no_such_package'):
        fixes.installed_path('no_such_package')


def test_mmagic_base_configs_resolve():
    code = (
        'from attentive_gan import compat; compat.prepare(); from mmengine.config import Config;'
        'import tempfile, pathlib; p = pathlib.Path(tempfile.mkdtemp()) / "c.py";'
        'p.write_text("_base_ = [\'mmagic::_base_/default_runtime.py\']");'
        'print(Config.fromfile(p).default_scope)'
    )
    assert python(code).splitlines()[-1] == 'mmagic'


def test_placeholders_pass_imports_and_refuse_use():
    with placeholders.placeholders(['no_such_package']):
        from no_such_package.models import Base

        class Derived(Base):
            pass

    with pytest.raises(ImportError, match=r'no_such_package\.models\.Base.*pip install'):
        Base()
    with pytest.raises(ImportError, match='no_such_package'):
        Derived()
    with pytest.raises(ModuleNotFoundError):
        import no_such_package  # noqa: F401


def test_placeholders_leave_installed_packages_alone():
    with placeholders.placeholders(['no_such_package']):
        import json as inside
    assert inside.loads('1') == 1


def test_nothing_heavy_is_imported():
    heavy = "['diffusers', 'transformers', 'mediapipe', 'albumentations', 'skimage', 'pandas']"
    code = (
        f'import sys, attentive_gan.registration; print([n for n in {heavy} if n in sys.modules])'
    )
    assert python(code).splitlines()[-1] == '[]'


def test_lean_import_registers_the_editors_that_we_use():
    from mmagic.registry import MODELS

    for name in ('SRGAN', 'NAFNet', 'Restormer', 'Pix2Pix', 'SwinIRNet'):
        assert MODELS.get(name) is not None


def test_editors_import_as_from_a_complete_installation():
    from mmagic.models import NAFNet
    from mmagic.models.editors import NAFNet as again  # noqa: N813

    assert NAFNet is again


def test_other_editors_can_still_be_imported_one_by_one():
    code = (
        'from attentive_gan import compat; compat.prepare(); from mmagic.registry import MODELS;'
        'import mmagic.models.editors.srcnn; print(MODELS.get("SRCNNNet").__name__)'
    )
    assert python(code).splitlines()[-1] == 'SRCNNNet'


def test_complete_installation_is_left_alone(monkeypatch):
    """As in a user's older environment: compiled mmcv, old diffusers and transformers."""
    known = {'diffusers': '0.24.0', 'transformers': '4.38.2', 'albumentations': '1.3.1'}
    monkeypatch.setattr(
        lean_mmagic, 'installed_version', lambda name: versions.Version(known[name])
    )
    monkeypatch.setattr(lean_mmagic.importlib.util, 'find_spec', lambda name: object())
    assert lean_mmagic.reason_for_lean_import() is None
    known['diffusers'] = '0.42.1'
    assert '0.42.1 is newer' in lean_mmagic.reason_for_lean_import()


@pytest.mark.parametrize(
    ('found', 'message'), [(None, 'not installed; run'), ('2.2.0', 'below 2.2.0; run')]
)
def test_wrong_required_packages_are_named(monkeypatch, found, message):
    real = versions.installed_version

    def installed(*names):
        if 'mmcv' in names:
            return None if found is None else versions.Version(found)
        return real(*names)

    monkeypatch.setattr(versions, 'installed_version', installed)
    with pytest.raises(UserError, match=f'mmcv or mmcv-lite.*{message}'):
        versions.check_requirements()


def test_missing_mmagic_is_one_line():
    """Through a tool: no traceback."""
    code = (
        'import sys; import importlib.metadata as m; real = m.version\n'
        'def version(name):\n'
        '    if name == "mmagic": raise m.PackageNotFoundError(name)\n'
        '    return real(name)\n'
        'm.version = version\n'
        'from attentive_gan.cli.common import run\n'
        'def main():\n'
        '    from attentive_gan import compat; compat.prepare()\n'
        'run(main)'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(
        'error: mmagic is not installed; run: pip install --no-deps mmagic'
    )
    assert len(done.stderr.strip().splitlines()) == 1


class FakeWrapper(nn.Module):
    """Has `module`, as MMEngine's distributed wrappers have."""

    def __init__(self, module):
        super().__init__()
        self.module = module


def test_wrapper_parts_leave_the_keys(monkeypatch):
    from attentive_gan.compat import distributed

    monkeypatch.setattr('mmengine.model.is_model_wrapper', lambda m: isinstance(m, FakeWrapper))
    model = nn.Module()
    model.generator = FakeWrapper(nn.Linear(1, 1))
    model.generator_ema = nn.Module()
    model.generator_ema.module = nn.Linear(1, 1)
    assert list(distributed.unwrapped_state_dict(model)) == [
        'generator.weight', 'generator.bias', 'generator_ema.module.weight', 'generator_ema.module.bias',
    ]  # fmt: skip
    assert torch.equal(
        distributed.unwrapped_state_dict(FakeWrapper(model))['generator.weight'],
        model.generator.module.weight,
    )

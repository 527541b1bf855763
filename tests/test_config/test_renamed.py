"""Names of version 0.1.0 are reported with their new names."""

from __future__ import annotations

import pytest
from attentive_gan.config.reading import load_config
from attentive_gan.engine.runner.renamed_names import RENAMED_MODEL_FIELDS, RENAMED_TYPES
from attentive_gan.errors import UserError
from mmagic.registry import DATA_SAMPLERS, DATASETS, HOOKS, RUNNERS, TRANSFORMS
from mmengine.config import Config
from support.runs import REPOSITORY

MAIN = str(REPOSITORY / 'configs' / 'attgan_raindrop.py')


@pytest.mark.parametrize(('old', 'new'), RENAMED_MODEL_FIELDS.items())
def test_old_fields_of_the_editor(old, new):
    with pytest.raises(UserError, match=rf'model\.{old} is now model\.{new.split(" ")[0]}'):
        load_config(MAIN, {f'model.{old}': 1})


@pytest.mark.parametrize(('old', 'new'), RENAMED_TYPES.items())
def test_old_types_anywhere_in_a_config(old, new, tmp_path):
    path = tmp_path / 'old.py'
    path.write_text(f'_base_ = {MAIN!r}\ncustom_hooks = [dict(nested=[dict(type={old!r})])]\n')
    with pytest.raises(UserError, match=rf'old\.py: {old} is now {new}$'):
        load_config(str(path))


def test_old_types_where_mmengine_reads_the_config(tmp_path):
    path = tmp_path / 'old.py'
    path.write_text(f'_base_ = {MAIN!r}\ncustom_hooks = [dict(type="SampleGrid")]\n')
    with pytest.raises(UserError, match=r'old\.py: SampleGrid is now SampleGridHook$'):
        RUNNERS.build(Config.fromfile(str(path)))


def test_new_names_exist():
    registries = (HOOKS, DATASETS, TRANSFORMS, DATA_SAMPLERS)
    for new in RENAMED_TYPES.values():
        assert any(registry.get(new) is not None for registry in registries), new

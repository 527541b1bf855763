"""Metadata of exported files, also of those that earlier versions wrote."""

from __future__ import annotations

import pytest
from attentive_gan.errors import UserError
from attentive_gan.inference.model_metadata import ModelMetadata
from attentive_gan.inference.streaming_ops import Reach

#: As `attentive-gan` 0.1.0 stored it. Published files hold this: keep it as it is.
STORED_BY_0_1_0 = {
    'format': 'attentive_gan 1',
    'name': 'attgan_small',
    'channel_order': 'rgb',
    'network_channel_order': 'bgr',
    'value_range': '0 1',
    'size_multiple': '4',
    'padding_mode': 'reflect',
    'receptive_field': '147 144',
    'bytes_per_pixel': '1536',
    'weights_sha256': 'ab' * 32,
}


def test_files_of_version_0_1_0_are_read() -> None:
    read = ModelMetadata.from_metadata(STORED_BY_0_1_0, 'old.onnx')
    assert read == ModelMetadata(
        name='attgan_small',
        network_channel_order='bgr',
        size_multiple=4,
        padding_mode='reflect',
        reach=Reach(147, 144),
        bytes_per_pixel=1536.0,
        weights_sha256='ab' * 32,
    )
    assert read.to_metadata() == STORED_BY_0_1_0


def test_files_of_version_0_1_0_with_a_global_network_are_read() -> None:
    stored = STORED_BY_0_1_0 | {'receptive_field': '', 'size_multiple': '', 'weights_sha256': ''}
    read = ModelMetadata.from_metadata(stored, 'old.onnx')
    assert (read.reach, read.size_multiple, read.weights_sha256) == (None, None, '')
    assert read.to_metadata() == stored


@pytest.mark.parametrize('key', sorted(STORED_BY_0_1_0.keys() - {'channel_order', 'value_range'}))
def test_a_missing_key_names_the_file(key: str) -> None:
    stored = {name: value for name, value in STORED_BY_0_1_0.items() if name != key}
    with pytest.raises(UserError, match=r'old\.onnx'):
        ModelMetadata.from_metadata(stored, 'old.onnx')

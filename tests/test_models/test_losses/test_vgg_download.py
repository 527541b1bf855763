"""VGG16's weights are downloaded with a hash check, from a server on the loopback here."""

from __future__ import annotations

import hashlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.models.losses import perceptual_loss
from attentive_gan.models.losses.perceptual_loss import VGGPerceptualLoss


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server on the loopback in torchvision's place, with its folder, and an empty hub folder."""
    folder = tmp_path / 'server'
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    httpd = ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=str(folder)))
    Thread(target=httpd.serve_forever, daemon=True).start()
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'home'))
    yield folder, f'http://127.0.0.1:{httpd.server_port}', monkeypatch
    httpd.shutdown()
    httpd.server_close()


def test_vgg_weights_are_downloaded_with_a_hash_check(server, vgg):
    folder, url, monkeypatch = server
    content = Path(vgg[1]).read_bytes()
    name = f'vgg16-{hashlib.sha256(content).hexdigest()[:8]}.pth'
    (folder / name).write_bytes(content)
    monkeypatch.setattr(perceptual_loss, 'VGG16_FILE', name)
    monkeypatch.setattr(perceptual_loss, 'VGG16_URL', f'{url}/{name}')
    assert VGGPerceptualLoss().features[0].weight.shape == (64, 3, 3, 3)
    (folder / name).unlink()
    VGGPerceptualLoss()  # from the hub's folder
    cached = Path(torch.hub.get_dir()) / 'checkpoints'
    assert [file.name for file in cached.iterdir()] == [name]


@pytest.mark.parametrize('fault', ['changed', 'absent'])
def test_a_wrong_or_missing_download_leaves_nothing_and_says_both_ways_out(server, vgg, fault):
    folder, url, monkeypatch = server
    if fault == 'changed':
        (folder / 'vgg16-397923af.pth').write_bytes(Path(vgg[1]).read_bytes() + b'x')
    monkeypatch.setattr(perceptual_loss, 'VGG16_URL', f'{url}/vgg16-397923af.pth')
    reason = 'invalid hash value' if fault == 'changed' else '404'
    with pytest.raises(UserError, match=f'{reason}.*fetch them.*perceptual_loss=None'):
        VGGPerceptualLoss()
    assert not list((Path(torch.hub.get_dir()) / 'checkpoints').iterdir())

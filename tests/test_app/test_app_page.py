"""The page to try it: one server process for all, and a real browser."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import attentive_gan.registration  # noqa: F401
import numpy as np
import psutil
import pytest
import torch
from attentive_gan.config.reading import load_config
from attentive_gan.image_io import read_image_file, write_image_file
from attentive_gan.image_io.extras import photoshop_segment
from attentive_gan.inference import ImageRestorer
from mmagic.registry import MODELS
from mmengine.registry import DefaultScope
from PIL import Image
from support.browser import asked_for
from support.runs import REPOSITORY, TINY_CONFIG

HOSTILE = '<img src=x onerror=alert(1)> "\'&.jpg'
MOST = 200_000  # bytes


@pytest.fixture(scope='module')
def gan(tmp_path_factory):
    """Config and random weights of a GAN that draws an attention map in one step."""
    folder = tmp_path_factory.mktemp('gan')
    config = folder / 'gan.py'
    config.write_text(
        f'_base_ = [{str(TINY_CONFIG)!r}]\n'
        "model = dict(generator=dict(_delete_=True, type='AttentiveGenerator', num_steps=1))\n"
    )
    torch.manual_seed(3)
    with DefaultScope.overwrite_default_scope('mmagic'):
        state = MODELS.build(load_config(str(config)).model).state_dict()
    torch.save({'state_dict': state}, folder / 'gan.pth')
    return str(config), str(folder / 'gan.pth')


@pytest.fixture(scope='module')
def server(gan, tmp_path_factory):
    """The tool, with its temporary folder; ends by Ctrl-C without a traceback."""
    folder = tmp_path_factory.mktemp('server')
    command = [
        sys.executable, str(REPOSITORY / 'tools' / 'app.py'), '--config', gan[0], '--weights', gan[1],
        '--device', 'cpu', '--port', '0', '--no-open', '--max-upload-mb', str(MOST / 1e6),
        '--max-megapixels', '0.05',
    ]  # fmt: skip
    environment = {
        **os.environ,
        'TMPDIR': str(folder),
        'OMP_NUM_THREADS': '1',
        'PYTHONPATH': os.pathsep.join([str(TINY_CONFIG.parent), str(REPOSITORY / 'projects')]),
    }
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
        env=environment,
    )  # fmt: skip
    line = process.stdout.readline()
    found = re.match(r'http://127\.0\.0\.1:\d+/', line)
    assert found, process.stderr.read()
    yield found[0], process, folder
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode in (0, 130)
    assert 'Traceback' not in errors
    assert not [path for path in folder.rglob('*') if path.is_file()]


def photo(path: Path, size=(120, 80), **options) -> Path:
    """Write a smooth random image."""
    noise = np.random.default_rng(4).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).save(path, **options)
    return path


def ask(url, method='GET', body=None, **headers):
    """Return status, headers and body of an answer."""
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def credentials(address):
    """Return the headers that the page sends."""
    text = ask(address)[2].decode()
    token = re.search(r'name="app-token" content="([^"]+)"', text)[1]
    return {'X-App-Token': token, 'Origin': address.rstrip('/')}


def result_of(address, key):
    """Wait for a job; return the answer about it."""
    for _ in range(1200):
        answer = json.loads(ask(f'{address}jobs/{key}')[2])
        if answer['state'] in ('done', 'failed'):
            return answer
        time.sleep(0.05)
    raise AssertionError(answer)


def test_only_this_computer_is_answered(server):
    address, process, _ = server
    listening = [
        c.laddr.ip for c in psutil.Process(process.pid).net_connections() if c.status == 'LISTEN'
    ]
    assert listening == ['127.0.0.1']
    assert ask(address)[0] == 200
    assert ask(address, Host='evil.example:80')[0] == 403
    policy = ask(address)[1]['Content-Security-Policy']
    assert "default-src 'none'" in policy
    assert 'unsafe' not in policy


@pytest.mark.parametrize(
    'change', [{'Origin': 'http://evil.example'}, {'X-App-Token': 'x'}, {'Origin': ''}]
)
def test_other_pages_cannot_send(server, change):
    address = server[0]
    status, _, body = ask(address + 'jobs', 'POST', b'x', **{**credentials(address), **change})
    assert status == 403
    assert b'key' not in body


@pytest.mark.parametrize('excess', [1, 2**21])
def test_large_files_are_refused(server, excess):
    try:
        status, _, body = ask(
            server[0] + 'jobs', 'POST', bytes(MOST + excess), **credentials(server[0])
        )
    except urllib.error.URLError as error:
        # Far above the limit the server hangs up in the middle, sometimes before its answer is read.
        hung_up = isinstance(error.reason, (ConnectionResetError, BrokenPipeError))
        if excess == 1 or not hung_up:
            raise
    else:
        assert status == 413
        assert b'larger than 0.2 MB' in body or b'exceeds' in body
    assert ask(server[0])[0] == 200


def test_downloads_are_what_the_restorer_gives_and_are_forgotten(server, gan, tmp_path):
    address = server[0]
    exif = Image.Exif()
    exif[271] = 'Maker'
    source = photo(tmp_path / 'a.JPG', format='JPEG', exif=exif)
    sender = credentials(address)
    headers = {**sender, 'X-File-Name': 'a.JPG'}
    key = json.loads(ask(address + 'jobs', 'POST', source.read_bytes(), **headers)[2])['key']
    answer = result_of(address, key)
    assert answer['names'] == {'kept': 'a_restored.JPG', 'png': 'a_restored.png'}
    assert answer['lost'] == {}
    image_file = read_image_file(source)
    restored = ImageRestorer(*gan, device='cpu').restore(image_file.pixels).image
    for file, suffix in (('kept', '.jpg'), ('png', '.png')):
        expected = write_image_file(tmp_path / f'out{suffix}', image_file.with_pixels(restored))
        got = ask(f'{address}jobs/{key}/{file}')[2]
        assert got == expected.read_bytes()
        assert Image.open(io.BytesIO(got)).getexif()[271] == 'Maker'
    assert ask(f'{address}jobs/{key}', 'DELETE', **sender)[0] == 204
    assert ask(f'{address}jobs/{key}/kept')[0] == 404


def test_what_a_download_does_not_hold_is_said(server, tmp_path):
    content = photo(tmp_path / 'a.jpg', format='JPEG').read_bytes()
    caption = photoshop_segment(b'\x1c\x02\x78\x00\x04rain')
    content = content[:2] + caption + content[2:]
    headers = {**credentials(server[0]), 'X-File-Name': 'a.jpg'}
    key = json.loads(ask(server[0] + 'jobs', 'POST', content, **headers)[2])['key']
    assert result_of(server[0], key)['lost'] == {'png': ['IPTC']}


@pytest.fixture
def opened(browser, server):
    """The page; at the end nothing was logged and nothing external asked for."""
    browser.get(server[0])
    yield browser
    assert browser.get_log('browser') == []
    asked = asked_for(browser)
    assert asked
    assert [
        url for url in asked if not url.startswith((server[0], 'blob:' + server[0], 'data:'))
    ] == []


def choose(browser, path, wanted):
    """Choose a file, and wait until an element is shown."""
    browser.find_element('id', 'file').send_keys(str(path))
    for _ in range(1200):
        element = browser.find_element('id', wanted)
        if element.is_displayed():
            return element
        time.sleep(0.05)
    raise AssertionError(browser.find_element('tag name', 'body').text)


def test_a_photo_is_restored_and_compared_by_keys(opened, tmp_path):
    result = choose(opened, photo(tmp_path / HOSTILE, format='JPEG'), 'result')
    assert opened.find_element('id', 'name').text == HOSTILE
    assert not result.find_elements('css selector', '[onerror]')
    slider = opened.find_element('id', 'slider')
    slider.send_keys('\ue012' * 10)
    assert slider.get_attribute('aria-valuetext') == '40 % rainy'
    shown = opened.execute_script(
        "return getComputedStyle(document.getElementById('over')).clipPath"
    )
    assert '60%' in shown
    assert opened.execute_script("return document.getElementById('under').naturalWidth") == 120
    restored = opened.find_element('id', 'under').get_attribute('src')
    assert opened.find_element('id', 'views').is_displayed()
    opened.execute_script("document.querySelector('input[value=attention]').click()")
    assert opened.find_element('id', 'under').get_attribute('src') != restored
    assert opened.find_element('id', 'right-tag').text == 'Attention map'
    assert opened.find_element('id', 'kept').get_attribute('download').endswith('_restored.jpg')


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (b'no image', 'is not an image'),
        (b'', 'is empty'),
        (bytes(MOST + 1), 'larger than 0.2 MB'),
    ],
)
def test_bad_files_give_their_reason(server, browser, tmp_path, content, reason):
    browser.get(server[0])
    (tmp_path / 'bad.png').write_bytes(content)
    assert reason in choose(browser, tmp_path / 'bad.png', 'error').text
    browser.get_log('browser')  # the browser itself logs refused requests


@pytest.mark.parametrize(
    ('size', 'reason'),
    [((400, 200), 'the limit is 0.05 million pixels'), ((2000, 1), 'one side may be 100 times')],
)
def test_too_many_pixels_and_long_rows_are_refused(server, browser, tmp_path, size, reason):
    browser.get(server[0])
    assert reason in choose(browser, photo(tmp_path / 'wide.png', size), 'error').text
    browser.get_log('browser')  # the browser itself logs refused requests


def test_the_page_fits_a_phone(opened, tmp_path):
    opened.execute_cdp_cmd('Emulation.setDeviceMetricsOverride',
        {'width': 360, 'height': 740, 'deviceScaleFactor': 1, 'mobile': True})  # fmt: skip
    choose(opened, photo(tmp_path / 'a.png'), 'result')
    assert opened.execute_script('return document.documentElement.scrollWidth') <= 360
    opened.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})


def test_a_taken_port_is_one_clear_line(server):
    port = server[0].rstrip('/').rpartition(':')[2]
    command = [sys.executable, str(REPOSITORY / 'tools' / 'app.py'), '--port', port, '--no-open']
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert f'port {port} cannot be used' in done.stderr
    assert 'Traceback' not in done.stderr

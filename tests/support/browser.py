"""A real browser for the pages."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

#: No screen, no animations, and no requests of the browser's own.
_ARGUMENTS = (
    'headless=new', 'no-sandbox', 'disable-gpu', 'window-size=1280,900', 'force-prefers-reduced-motion',
    'no-first-run', 'disable-background-networking', 'disable-component-update', 'disable-sync',
)  # fmt: skip


def start_chromium() -> Any:
    """Return headless Chromium that records what it logs and asks for; skip where there is none."""
    selenium = pytest.importorskip('selenium.webdriver', reason='selenium is not installed')
    from selenium.webdriver.chrome.service import Service

    names = ('chromium', 'chromium-browser', 'google-chrome')
    binary = next(filter(None, map(shutil.which, names)), None)
    driver = shutil.which('chromedriver')
    if not binary or not driver:
        pytest.skip('needs Chromium and chromedriver (apt-get install chromium chromium-driver)')
    options = selenium.ChromeOptions()
    options.binary_location = binary
    for argument in _ARGUMENTS:
        options.add_argument(f'--{argument}')
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
    return selenium.Chrome(options=options, service=Service(driver))


def asked_for(browser: Any) -> list[str]:
    """Return the addresses that pages have asked for since the last call."""
    messages = [json.loads(entry['message'])['message'] for entry in browser.get_log('performance')]
    return [
        message['params']['request']['url']
        for message in messages
        if message['method'] == 'Network.requestWillBeSent'
    ]

"""The page: its text without a browser, and its behaviour in a real one."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from html import unescape

import cv2
import numpy as np
import pytest
from attentive_gan.leaderboard import summarize, write_page
from attentive_gan.leaderboard.page_table import header, table_cells
from attentive_gan.leaderboard.results import ENTRIES
from attentive_gan.web import read_asset
from support.browser import asked_for
from support.fake_results import fake_result
from support.runs import TINY_CONFIG

HOSTILE = '<script>document.title="broken"</script>"\'&{{ 7*7 }}'
HOSTILE_IMAGE = '<img src=x onerror=alert(1)> #1?&"%20'


def fake_board(out, images):
    """Write a leaderboard of five entries, one of which failed, with a hostile name among them."""
    cheap = {'parameters': 9_000_000, 'gmacs': 1.5, 'milliseconds': 12.0, 'peak_gib': 0.25}
    dear = {'parameters': 120_000_000, 'gmacs': 403.0, 'milliseconds': 1234.0, 'peak_gib': 2.0}
    fake_result('input', 'input', images, 20, out, notes=[HOSTILE])
    net = fake_result('net', 'config', images, 22, out, cheap)
    replace(net, attention=images[:2]).write(out)
    fake_result('larger net', 'config', images, 24, out, dear)
    fake_result(HOSTILE, 'folder', images, 21, out)
    failed = fake_result('failed', 'folder', images, 23, out)
    replace(failed, records=[], means={}, reason=f'because {HOSTILE}').write(out)
    grey = cv2.imencode('.png', np.full((16, 24, 3), 120, np.uint8))[1].tobytes()
    folders = [out / 'data' / 'rainy', out / 'data' / 'clean']
    folders.append(out / ENTRIES / net.folder / 'attention')
    folders += [path.parent / 'images' for path in (out / ENTRIES).glob('*/result.json')]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for image in images:
            (folder / f'{image}.png').write_bytes(grey)
    return write_page(summarize(out, 'input'), out)


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    return fake_board(tmp_path_factory.mktemp('board'), ['0', '1', '2', HOSTILE_IMAGE, '10'])


@pytest.mark.fault('E5')
def test_hostile_text_is_escaped_and_nothing_is_external(page):
    text = page.read_text()
    assert HOSTILE not in text
    assert HOSTILE in unescape(text)
    assert '49' not in re.sub(r'\d{3,}', '', text.split('<main>')[0].split('</style>')[1])
    assert not re.findall(r'(?:src|href)\s*=\s*["\']?(?:https?:)?//', text)
    assert 'url(' not in read_asset('style.css', 'attentive_gan.leaderboard')
    assert '@import' not in read_asset('style.css', 'attentive_gan.leaderboard')


def test_every_score_has_its_protocol_in_the_header(page):
    heads = re.findall(r'<th scope="col".*?</th>', page.read_text(), re.DOTALL)
    scores = [head for head in heads if re.search('>(PSNR|SSIM|Δ to input)<', head)]
    board = [head for head in scores if 'as printed' not in head]
    assert len(board) == 9
    for head in board:
        protocol = re.search(r'class="p-(\w+)"', head)[1]
        assert re.search(rf'<small>.*{protocol}</small>', head)
    assert [head for head in heads if 'ms · 720x480, cpu' in head]


def test_published_figures_have_source_status_and_family():
    published = json.loads(read_asset('published.json', 'attentive_gan.leaderboard'))
    families = {family['key']: family['rows'] for family in published['families']}
    assert set(families) == {'qian', 'bt601', 'unknown'}
    for rows in families.values():
        for row in rows:
            assert row['source']
            assert row['status'] in ('confirmed', 'unconfirmed')
            assert 20 < row['psnr'] < 40
            assert 0.5 < row['ssim'] < 1


def test_published_figures_of_another_set_are_marked_and_closed(page):
    text = page.read_text()
    assert 'nothing here compares with them' in text
    assert re.search(r'<details>\s*<summary>Show the figures', text)


def test_costs_that_no_row_has_take_no_column(evaluated, weights, tmp_path):
    evaluated(f'tiny={TINY_CONFIG},{weights}', 'input=input')  # without timing
    summary = summarize(tmp_path / 'out', 'input')
    titles = [column.title for column in header(summary)]
    assert titles[-2:] == ['Parameters', 'GMACs']
    assert all(len(table_cells(row, summary)) == len(titles) - 2 for row in summary.rows)


@pytest.fixture
def opened(browser, page):
    """The page, just opened; at the end nothing was logged and nothing external asked for."""
    browser.get(page.as_uri())
    yield browser
    assert browser.get_log('browser') == []
    asked = asked_for(browser)
    assert asked
    assert [url for url in asked if not url.startswith(('file:', 'data:'))] == []


def names(browser):
    """Return the names of the visible rows in their order."""
    rows = browser.find_elements('css selector', '#board tbody tr')
    return [row.find_element('css selector', 'a').text for row in rows if row.is_displayed()]


def press(browser, label):
    """Click the visible column head with this title; return its cell."""
    for head in browser.find_elements('css selector', '#board thead th'):
        if head.is_displayed() and head.text.startswith(label):
            head.find_element('css selector', 'button').click()
            return head
    raise AssertionError(label)


def test_sorting(opened):
    assert names(opened) == ['larger net', 'net', HOSTILE, 'input']
    head = press(opened, 'Parameters')
    assert head.get_attribute('aria-sort') == 'ascending'
    assert names(opened)[:2] == ['net', 'larger net']  # 9 before 120 million: numbers, not text
    press(opened, 'Parameters')
    assert head.get_attribute('aria-sort') == 'descending'
    assert names(opened)[:2] == ['larger net', 'net']  # what has none stays last
    head = press(opened, 'PSNR')
    assert head.get_attribute('aria-sort') == 'descending'
    assert names(opened) == ['larger net', 'net', HOSTILE, 'input']
    assert len(opened.find_elements('css selector', '[aria-sort]')) == 1


def test_filter_and_reference_lines(opened):
    field = opened.find_element('id', 'filter')
    field.send_keys('NET trained')
    assert names(opened) == ['larger net', 'net']
    assert opened.find_element('id', 'shown').text == '2 of 4 entries shown'
    field.clear()
    field.send_keys(' ')
    opened.find_element('id', 'references').click()
    assert names(opened) == ['larger net', 'net', HOSTILE]


def test_protocol_changes_columns_and_images(opened):
    def heads():
        return ' '.join(
            head.text for head in opened.find_elements('css selector', '#board thead th')
            if head.is_displayed()
        )  # fmt: skip

    assert 'qian' in heads()
    assert 'bt601' not in heads()
    opened.find_element('css selector', 'input[value=bt601]').click()
    assert 'bt601' in heads()
    assert 'qian' not in heads()
    assert 'bt601' in opened.find_element('id', 'caption').text


def share(browser):
    """Return where the slider stands, by its value and by what is drawn."""
    value = float(browser.find_element('id', 'slider').get_attribute('value'))
    drawn = browser.execute_script(
        'const box = document.getElementById("compare").getBoundingClientRect();'
        'const line = document.querySelector(".divider").getBoundingClientRect();'
        'return 100 * (line.left + line.width / 2 - box.left) / box.width;'
    )
    assert drawn == pytest.approx(value, abs=0.6)
    return value


def test_slider_by_mouse_and_keyboard(opened):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    figure = opened.find_element('id', 'compare')
    opened.execute_script('arguments[0].scrollIntoView({block: "center"})', figure)
    width = figure.size['width']
    assert share(opened) == 50
    drag = ActionChains(opened).move_to_element(figure).click_and_hold()
    drag.move_by_offset(round(width * 0.3), 0).release().perform()
    assert share(opened) == pytest.approx(80, abs=1)
    slider = opened.switch_to.active_element
    assert slider.get_attribute('id') == 'slider'
    before = share(opened)
    slider.send_keys(Keys.ARROW_LEFT * 5)
    assert share(opened) == before - 5
    slider.send_keys(Keys.HOME)
    assert share(opened) == 0
    slider.send_keys('n')
    assert opened.find_element('id', 'caption').text.startswith('1: larger net')
    slider.send_keys('p')
    assert opened.find_element('id', 'caption').text.startswith('0: larger net')


def test_images_load_whatever_their_names(opened):
    """All images of all images decode; the console check at the end sees what does not."""
    for button in opened.find_elements('css selector', '#list button'):
        opened.execute_script('arguments[0].scrollIntoView({block: "center"})', button)
        button.click()
        for image in ('under', 'over'):
            wait_for_image(opened, image)
    labels = [b.text.splitlines()[0] for b in opened.find_elements('css selector', '#list button')]
    assert HOSTILE_IMAGE in labels


def wait_for_image(browser, identifier):
    """Wait until an image has been decoded."""
    script = (
        f'const i = document.getElementById("{identifier}"); return i.complete && i.naturalWidth'
    )
    for _ in range(1500):
        if browser.execute_script(script):
            return
        time.sleep(0.02)
    raise AssertionError(f'{identifier} shows nothing')


def test_order_search_and_previous_and_next(opened):
    from selenium.webdriver.support.ui import Select

    def listed():
        rows = opened.find_elements('css selector', '#list button span:last-child')
        return [
            float(row.get_attribute('textContent').replace('\N{MINUS SIGN}', '-')) for row in rows
        ]

    Select(opened.find_element('id', 'order')).select_by_value('worst')
    assert listed() == sorted(listed())
    Select(opened.find_element('id', 'order')).select_by_value('best')
    assert listed() == sorted(listed(), reverse=True)
    opened.find_element('id', 'find').send_keys('10')
    assert len(listed()) == 1
    opened.find_element('id', 'next').click()
    assert opened.find_element('id', 'caption').text.startswith('10:')


def test_attention_maps_can_be_shown(opened):
    from selenium.webdriver.support.ui import Select

    Select(opened.find_element('id', 'left')).select_by_visible_text('net: attention')
    wait_for_image(opened, 'over')
    over = opened.find_element('id', 'over')
    assert '/attention/0.png' in over.get_attribute('src')
    assert over.get_attribute('alt') == '0, net: attention'
    opened.find_elements('css selector', '#list button')[2].click()
    assert over.get_attribute('src') is None  # this image has no map


def test_a_name_opens_how_it_was_made(opened):
    opened.find_element('link text', 'net').click()
    details = opened.find_element('css selector', 'details[open]')
    assert "tool --entry 'net'" in details.text
    assert '1' * 64 in details.text


def test_controls_are_labelled(opened):
    """Every control has a name, every image an alternative text, the page a language and one h1."""
    unnamed = opened.execute_script(
        'return [...document.querySelectorAll("input, select, button")].filter((control) =>'
        ' !control.labels?.length && !control.ariaLabel && !control.textContent.trim()).length'
    )
    assert unnamed == 0
    assert opened.execute_script('return document.querySelectorAll("img:not([alt])").length') == 0
    assert opened.execute_script('return document.querySelectorAll("h1").length') == 1
    assert opened.execute_script('return document.documentElement.lang') == 'en'
    assert opened.title == 'Rain removal on test_a'


def luminance(colour):
    """Return the relative luminance of 'rgb(r, g, b)' (WCAG 2.1)."""
    channels = [int(part) / 255 for part in re.findall(r'\d+', colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_contrast(opened, scheme):
    """Text on its card reaches 4.5 to 1 in both schemes."""
    features = [{'name': 'prefers-color-scheme', 'value': scheme}]
    opened.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': features})
    card = opened.find_element('css selector', 'section').value_of_css_property('background-color')
    assert (luminance(card) > 0.5) == (scheme == 'light')
    for selector in (
        'h2',
        '.quiet',
        '#board a',
        '.reference .figure',
        '.confirmed',
        '.unconfirmed',
    ):
        ink = opened.find_element('css selector', selector).value_of_css_property('color')
        light, dark = sorted((luminance(ink), luminance(card)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (selector, ink, card)


def test_a_phone_scrolls_only_tables_sideways(opened):
    metrics = {'width': 360, 'height': 740, 'deviceScaleFactor': 2, 'mobile': True}
    opened.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', metrics)
    try:
        assert opened.execute_script('return document.documentElement.scrollWidth') <= 360
    finally:
        opened.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})


def test_a_thousand_images(browser, tmp_path, record_property):
    """The time is reported, not asserted; that few images load at once is."""
    page = fake_board(tmp_path, [f'{number:04}' for number in range(1000)])
    start = time.perf_counter()
    browser.get(page.as_uri())
    assert browser.execute_script('return document.documentElement.dataset.ready') == 'true'
    record_property('seconds_to_open', time.perf_counter() - start)
    timing = browser.execute_script(
        'const [t] = performance.getEntriesByType("navigation"); return t.loadEventEnd'
    )
    print(f'1,000 images: {time.perf_counter() - start:.2f} s, load event after {timing:.0f} ms')
    assert len(browser.find_elements('css selector', '#list li')) == 1000
    assert browser.execute_script('return document.images.length') <= 12
    start = time.perf_counter()
    browser.find_element('css selector', 'input[value=rgb]').click()
    print(f'changing the protocol: {time.perf_counter() - start:.2f} s')
    assert browser.get_log('browser') == []

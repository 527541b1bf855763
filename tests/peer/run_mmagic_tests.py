"""Run some of MMagic's own unit tests on the installed MMagic, after the compatibility fixes.

Usage: python run_mmagic_tests.py SOURCE TARGET REPORT, where SOURCE is an MMagic source tree, TARGET a
file or folder in it, and REPORT the JUnit file to write.
"""

from __future__ import annotations

import os
import sys

import pytest
from attentive_gan import compat

if __name__ == '__main__':
    compat.prepare()
    source, target, report = sys.argv[1:]
    # The tests find their data from here; `mmagic` itself stays the installed one.
    os.chdir(source)
    options = ['--import-mode=importlib', f'--rootdir={source}', '-c', os.devnull, '-q']
    options += ['--continue-on-collection-errors', '-p', 'no:cacheprovider']
    options += ['-o', 'junit_family=xunit1', f'--junitxml={report}']
    sys.exit(pytest.main([target, *options]))

"""Errors while logging."""

import logging

import pytest
from attentive_gan.engine.runner.log_errors import handle_log_errors


class _Failing(logging.Handler):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def emit(self, record):
        try:
            raise self.error
        except type(self.error):
            self.handleError(record)


def _logger(error):
    logger = logging.Logger('test')
    logger.addHandler(_Failing(error))
    handle_log_errors(logger)
    return logger


def test_a_lost_worker_is_raised_through_a_line_of_logging():
    error = RuntimeError('DataLoader worker (pid 25044) is killed by signal: Killed. ')
    with pytest.raises(RuntimeError, match='25044'):
        _logger(error).warning('Iter(val) [2/6]')


@pytest.mark.fault('A4')
def test_a_full_disk_is_reported_once(capfd):
    logger = _logger(OSError(28, 'No space left on device'))
    for _ in range(3):
        logger.warning('a line')
    err = capfd.readouterr().err
    assert err.count('No space left on device') == 1
    assert 'Traceback' not in err


def test_other_errors_are_printed_as_ever(capfd):
    _logger(TypeError('not all arguments converted')).warning('a line')
    assert 'Traceback' in capfd.readouterr().err

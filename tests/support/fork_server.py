"""Starts Python programs by forking a process that has imported what takes seconds.

A program runs as the main program of a process of its own, with its own environment, arguments and outputs;
all that it shares with another is what had been imported. Usage:

    server = ForkServer('attentive_gan.registration', environment=environment())
    done = server.start(['tools/train.py', 'config.py'], environment(), folder).wait(100)

Run as a program, this module is the server: it listens at the socket named by its first argument,
imports the modules named by the others, and ends when its standard input is closed.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class Started:
    """A program that was started.

    Attributes:
        pid: Its process.
    """

    def __init__(self, connection: socket.socket, words: list[str], folder: str) -> None:
        self._replies = connection.makefile('r')
        self._connection, self._words, self._folder = connection, words, Path(folder)
        self.pid = int(self._replies.readline())

    def output(self) -> tuple[str, str]:
        """Return what it wrote so far, to the standard output and to the standard error."""
        out, err = (
            (self._folder / name).read_text(errors='replace') for name in ('stdout', 'stderr')
        )
        return out, err

    def has_ended(self) -> bool:
        """Return whether it has ended."""
        return bool(select.select([self._connection], [], [], 0)[0])

    def wait(self, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """Wait for its end; a program that takes longer is killed.

        Raises:
            subprocess.TimeoutExpired: It took longer; `output` and `stderr` hold what it wrote.
        """
        self._connection.settimeout(seconds)
        try:
            code = int(self._replies.readline())
        except TimeoutError:
            os.kill(self.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(self._words, seconds, *self.output()) from None
        return subprocess.CompletedProcess(self._words, code, *self.output())


class ForkServer:
    """A process with imported modules, from which programs are forked; ends with this process.

    Args:
        modules: Modules to import before.
        environment: Environment of the server; programs get their own.
    """

    def __init__(self, *modules: str, environment: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._count = 0
        self._address = str(Path(self._folder.name, 'socket'))
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._address, *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environment),
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b'ready\n':
            raise RuntimeError(f'the server of {modules} did not start')
        atexit.register(self.close)

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def start(
        self, words: Sequence[object], environment: Mapping[str, str], folder: Path
    ) -> Started:
        """Start a program.

        Args:
            words: The file of the program and its arguments.
            environment: All of its environment variables.
            folder: Its working directory.
        """
        self._count += 1
        outputs = Path(self._folder.name, str(self._count))
        outputs.mkdir()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        texts = [str(word) for word in words]
        request = dict(words=texts, environment=dict(environment), folder=str(folder))
        connection.sendall(json.dumps(request | {'outputs': str(outputs)}).encode() + b'\n')
        return Started(connection, texts, str(outputs))


def _serve(address: str) -> list[str]:
    """Fork a supervisor per request; return only in the forked program, with its words."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        sys.stdout.write('ready\n')
        sys.stdout.flush()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                os._exit(0)
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return _supervise(connection)
            connection.close()


def _supervise(connection: socket.socket) -> list[str]:
    """Fork the program, report its process and its exit code; return only in the program."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request = json.loads(connection.makefile('r').readline())
    pid = os.fork()
    if pid == 0:
        connection.close()
        return _become(request)
    connection.sendall(f'{pid}\n'.encode())
    _, status = os.waitpid(pid, 0)
    time.sleep(0.05)  # outputs of its workers
    connection.sendall(f'{os.waitstatus_to_exitcode(status)}\n'.encode())
    os._exit(0)


def _become(request: dict) -> list[str]:
    """Take over environment, arguments, folder and outputs of a request."""
    os.environ.clear()
    os.environ.update(request['environment'])
    os.chdir(request['folder'])
    names = [(os.devnull, 0, os.O_RDONLY)]
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    names += [
        (f'{request["outputs"]}/{name}', n + 1, flags)
        for n, name in enumerate(('stdout', 'stderr'))
    ]
    for name, number, mode in names:
        handle = os.open(name, mode)
        os.dup2(handle, number)
        os.close(handle)
    program = request['words'][0]
    sys.path[0] = str(Path(program).resolve().parent)
    return request['words']


if __name__ == '__main__':
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for module in sys.argv[2:]:
        importlib.import_module(module)
    gc.freeze()
    sys.argv = _serve(sys.argv[1])
    # What stays frozen is not freed at the end, of which libraries (nanobind) complain to standard error.
    atexit.register(gc.unfreeze)
    runpy.run_path(sys.argv[0], run_name='__main__')

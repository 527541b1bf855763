"""Options, error messages and exit codes that all command-line tools share.

Nothing heavy is imported at the top, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import atexit
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from attentive_gan.errors import StoppedBySignal, UserError
from attentive_gan.utils.memory_errors import is_out_of_memory

#: Exit code of a process that was interrupted from the keyboard (128 + SIGINT).
EXIT_INTERRUPTED = 130

#: Exit code of a process whose output nobody reads any more (128 + SIGPIPE).
_EXIT_BROKEN_PIPE = 141

#: Libraries that opencv-python needs and that servers and containers often lack.
_OPENCV_LIBRARIES = re.compile(r'libGL|libgthread|libglib')

#: Packages without which nothing works.
_NEEDED = {
    'torch',
    'torchvision',
    'mmengine',
    'mmcv',
    'mmagic',
    'numpy',
    'cv2',
    'rich',
    'PIL',
    'scipy',
}

#: Warnings of the toolbox about its own code, which a user can do nothing about.
_NOISE = (
    'FileClient', 'HardDiskBackend', 'prefix is not set', 'torch.cuda.amp', 'pkg_resources',
    'torch.meshgrid',  # of networks of other projects
    'Detected call of `scheduler.step()`',  # a discriminator that has not started yet
)  # fmt: skip


def echo(*parts: object) -> None:
    """Write a line of results to the standard output at once.

    Args:
        parts: What the line holds, separated by spaces.
    """
    sys.stdout.write(' '.join(map(str, parts)) + '\n')
    sys.stdout.flush()


def run_tool(command: ModuleType) -> NoReturn:
    """Run a command as a program of its own, such as `tools/train.py`.

    Args:
        command: Module with a docstring, which `--help` prints, `add_arguments(parser)` and `run(args)`.
    """
    parser = argparse.ArgumentParser()
    add_command(parser, command)
    args = parser.parse_args()
    run(lambda: args.run(args), args.error_code)


def add_command(parser: argparse.ArgumentParser, command: ModuleType) -> None:
    """Give a parser the help and the options of a command; `args.run(args)` executes it.

    Args:
        parser: The parser of the program or of the subcommand.
        command: As for `run_tool`; `ERROR_CODE` is its exit code after errors, if that is not 1.
    """
    parser.description = command.__doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    code = getattr(command, 'ERROR_CODE', 1)
    parser.set_defaults(run=command.run, error=parser.error, error_code=code)
    command.add_arguments(parser)


def run(main: Callable[[], int | None], error_code: int = 1) -> NoReturn:
    """Call `main` and exit with its code; print user mistakes as one clear message.

    Set the environment variable ATTENTIVE_GAN_TRACEBACK to 1 to print the full traceback.

    Args:
        main: The tool's work, which returns an exit code or None for success.
        error_code: Exit code after an error.
    """
    for text in _NOISE:
        warnings.filterwarnings('ignore', message=f'.*{re.escape(text)}.*')
    try:
        code = main() or 0
    except StoppedBySignal as stop:
        sys.stderr.write(f'{stop}\n')
        code = stop.exit_code
    except KeyboardInterrupt:
        sys.stderr.write('interrupted\n')
        code = EXIT_INTERRUPTED
    except BrokenPipeError:  # who reads the output has enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _EXIT_BROKEN_PIPE
    except Exception as error:
        message = _message_for(error)
        if message is None or os.environ.get('ATTENTIVE_GAN_TRACEBACK') == '1':
            if error_code == 1:  # that of Python
                raise
            traceback.print_exc()
        else:
            sys.stderr.write(f'error: {message}\n')
        code = error_code
    _exit(code)


def _exit(code: int) -> NoReturn:
    """Exit; a process of a group without finalizing the interpreter.

    Wrapped models keep a process group, and with it gloo's threads, alive after `destroy_process_group`. A
    thread that releases a tensor while the interpreter is finalized cannot get its lock and aborts the
    process ("terminate called without an active exception"), although all work was done.
    """
    distributed: Any = sys.modules.get('torch.distributed')
    if not (distributed and distributed.is_available() and distributed.is_initialized()):
        sys.stdout.flush()
        sys.exit(code)
    if code == 0:  # after a failure, destroying the group could wait for processes that are gone
        distributed.destroy_process_group()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _message_for(error: Exception) -> str | None:
    """Return the message for an error that a user can fix, or None for a defect of the program."""
    renderer = sys.modules.get('raindrop_renderer.errors')  # importing it takes NumPy and OpenCV
    expected = (UserError, renderer.RaindropOptionError) if renderer else (UserError,)
    if isinstance(error, expected):
        # A worker process of a data loader wraps the message into its traceback.
        return re.split(r'(?:UserError|RaindropOptionError): ', str(error))[-1].strip()
    if isinstance(error, ModuleNotFoundError) and error.name in _NEEDED:
        return (
            f'this Python ({sys.executable}) has no {error.name}. Use the environment in which '
            'attentive_gan was installed (bash tools/setup.sh makes .venv: source .venv/bin/activate)'
        )
    if isinstance(error, ImportError) and _OPENCV_LIBRARIES.search(str(error)):
        return (
            f'opencv-python cannot start ({error}); run: pip uninstall -y opencv-python && '
            'pip install opencv-python-headless'
        )
    if is_out_of_memory(error):
        first_line = str(error).splitlines()[0] if str(error) else 'no memory left on the machine'
        return (
            f'out of memory ({first_line}); lower train_dataloader.batch_size or the crop size, or use '
            '--amp on a GPU'
        )
    return None


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add the toolbox's options for configs and launchers.

    Args:
        parser: Parser of a tool that reads a config.
    """
    add = parser.add_argument
    add('--cfg-options', nargs='+', default=[], metavar='FIELD=VALUE',
        help='change config fields, such as train_dataloader.batch_size=4; lists as "[a,b]" without '
        'white space')  # fmt: skip
    add('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
        help='how the processes were started (tools/dist_train.sh sets it)')  # fmt: skip
    add('--local-rank', '--local_rank', type=int, default=0, help=argparse.SUPPRESS)


def config_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the values of `--cfg-options`; pass `--local-rank` on to torch.

    Args:
        args: Command line with the options of `add_config_options`.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return parse_options(args.cfg_options)


#: Blanks within a text, not those beside commas and brackets; and what stands for one meanwhile.
_BLANKS_IN_TEXT = re.compile(r'(?<=[^\s,(\[=]) +(?=[^\s,)\]])')
_BLANK = '\ue000'


def parse_options(pairs: list[str]) -> dict[str, Any]:
    """Parse FIELD=VALUE strings by the rules of MMEngine's `DictAction`.

    Args:
        pairs: What followed `--cfg-options`.

    Raises:
        SystemExit: A string is malformed; the message says how to write it.

    Example:
        >>> parse_options(['model.generator.num_steps=3', 'work_dir=my runs', 'sizes=[1, 2]'])
        {'model.generator.num_steps': 3, 'work_dir': 'my runs', 'sizes': [1, 2]}
    """
    malformed = [pair for pair in pairs if '=' not in pair]
    if malformed:
        raise SystemExit(f'error: --cfg-options {malformed[0]}: expected FIELD=VALUE')
    if not pairs:
        return {}
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    try:
        marked = [_BLANKS_IN_TEXT.sub(lambda m: _BLANK * len(m[0]), pair) for pair in pairs]
        options: dict[str, Any] = parser.parse_args(['--cfg-options', *marked]).cfg_options
    except RecursionError:  # MMEngine's parser, on brackets within brackets
        options = {}
    if not options or any(_holds_dict(value) for value in options.values()):
        raise SystemExit(
            f'error: --cfg-options {" ".join(pairs)}: a value may be a number, a word, a list or a tuple; '
            'write a dict into a config that has this one as its _base_, or set its fields one by one, '
            'such as default_hooks.sample_grid.interval=5'
        )
    return {name: _with_blanks(value) for name, value in options.items()}


def _with_blanks(value: Any) -> Any:
    """Return a value with the blanks in its texts, such as paths, which MMEngine's parser would drop."""
    if isinstance(value, (list, tuple)):
        return type(value)(_with_blanks(item) for item in value)
    return value.replace(_BLANK, ' ') if isinstance(value, str) else value


def _holds_dict(value: Any) -> bool:
    """Return whether a dict was meant, which MMEngine's parser leaves as text."""
    if isinstance(value, (list, tuple)):
        return any(_holds_dict(item) for item in value)
    return isinstance(value, str) and value.startswith(('dict(', '{'))

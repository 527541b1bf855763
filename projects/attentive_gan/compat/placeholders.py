"""Placeholders for optional packages that MMagic imports at the top of its files without need.

A placeholder lets the import statement pass; calling one of its names, or a class derived from one,
raises an ImportError that names the package. Placeholders exist only while MMagic is being imported, so
that other libraries do not take the packages for installed.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn


class _MissingType(type):
    """Metaclass of placeholder classes: any attribute of them is another placeholder."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        return missing_name(f'{cls.__module__}.{cls.__qualname__}.{name}')


def missing_name(full_name: str) -> type:
    """Return a placeholder class that raises ImportError when it is called.

    Args:
        full_name: Dotted name as it would be imported, such as `diffusers.models.ModelMixin`.
    """
    package = full_name.split('.', maxsplit=1)[0]

    def refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise ImportError(
            f'{full_name} is needed here, but the package {package!r} is not installed; '
            f'run: pip install {package}'
        )

    module, _, name = full_name.rpartition('.')
    members = {'__new__': refuse, '__module__': module, '__doc__': f'Placeholder of {full_name}.'}
    return _MissingType(name, (), members)


class _PlaceholderModule(ModuleType):
    """A module whose every public name is a placeholder."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        return missing_name(f'{self.__name__}.{name}')


class _PlaceholderImporter(MetaPathFinder, Loader):
    """Imports placeholders of top-level packages; used only after all real finders.

    Args:
        packages: Import names.
    """

    def __init__(self, packages: Sequence[str]) -> None:
        self.packages = packages

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return a spec for a module of a missing package."""
        missing = fullname.split('.', maxsplit=1)[0] in self.packages
        return ModuleSpec(fullname, self, is_package=True) if missing else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a placeholder with a package path, so that sub-modules can be imported."""
        module = _PlaceholderModule(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Execute nothing."""


def missing_packages(candidates: Sequence[str]) -> list[str]:
    """Return those of the candidates (import names of top-level packages) that are not installed."""
    return [
        name
        for name in candidates
        if name not in sys.modules and importlib.util.find_spec(name) is None
    ]


@contextmanager
def placeholders(packages: Sequence[str]) -> Iterator[None]:
    """Let imports of missing packages pass inside of the block.

    Args:
        packages: Import names of top-level packages that are not installed.

    Example:
        >>> with placeholders(['no_such_package']):
        ...     from no_such_package.models import Model
        >>> Model()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        ImportError: no_such_package.models.Model is needed here, but the package ... is not installed; ...
    """
    finder = _PlaceholderImporter(packages)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name, module in list(sys.modules.items()):
            if isinstance(module, _PlaceholderModule):
                del sys.modules[name]

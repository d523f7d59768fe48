"""One Python file made of modules of this package: for users who have the file and not the package.

The modules' own text is joined in the order in which they need one another, so there is no second implementation to keep
equal. Imports are read by ``ast``: of this package they are resolved, of the standard library gathered at the top, and of
anything else refused.
"""

import ast
import builtins
import sys
from collections.abc import Iterator
from importlib.resources import files

from lgt_assets.errors import ReleaseError


class _Module:
    """A module's text, taken apart."""

    def __init__(self, name: str) -> None:
        self.name = name
        package, _, stem = name.rpartition(".")
        self.lines = files(package).joinpath(f"{stem}.py").read_text(encoding="utf-8").splitlines()
        self.tree = ast.parse("\n".join(self.lines))
        self.docstring = ast.get_docstring(self.tree) or ""
        top = [node for node in self.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and node not in top:
                raise ReleaseError(f"{self.name}, line {node.lineno}: an import within a function cannot be joined")
        self.imports = top
        self.needs = [module for node in top if (module := _own_module(self.name, node))]
        self.defines = list(_defined(name, self.tree.body))

    def body(self) -> str:
        """The text without docstring, imports and ``__all__``."""
        left_out = [*self.imports, *(node for node in self.tree.body if _is_all(node))]
        if self.docstring:
            left_out.append(self.tree.body[0])
        gone = {line for node in left_out for line in range(node.lineno, node.end_lineno + 1)}
        return "\n".join(line for number, line in enumerate(self.lines, start=1) if number not in gone).strip("\n")


def _own_module(importer: str, node: ast.Import | ast.ImportFrom) -> str | None:
    """The module of this package that ``node`` imports names from; None for one of the standard library."""
    where = f"{importer}, line {node.lineno}"
    names = [node.module or "."] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0 and names[0].split(".")[0] == importer.split(".")[0]:
        if any(alias.asname or alias.name == "*" for alias in node.names):
            raise ReleaseError(
                f"{where}: names of this package are imported by their own names where modules are joined"
            )
        if "." not in names[0]:
            raise ReleaseError(f"{where}: import names from {names[0]}'s modules, not from itself")
        return names[0]
    strange = [name for name in names if name.split(".")[0] not in sys.stdlib_module_names]
    if strange:
        raise ReleaseError(f"{where}: {strange[0]} is no module of the standard library and cannot be joined")
    return None


def _is_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)


def _defined(module: str, body: list[ast.stmt]) -> Iterator[str]:
    """Names that the statements define at the module's level, in order."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign) and not _is_all(node):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from (name.id for name in ast.walk(target) if isinstance(name, ast.Name))
        elif not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr | ast.Assign):
            raise ReleaseError(f"{module}, line {node.lineno}: only definitions, values and imports can be joined")


def _in_order(name: str, known: dict[str, _Module], above: tuple[str, ...] = ()) -> Iterator[_Module]:
    """``name`` and all it needs, what is needed first."""
    if name in above:
        raise ReleaseError(f"{name} needs itself through {above[-1]}: such modules cannot be joined")
    if name in known:
        return
    module = _Module(name)
    for needed in module.needs:
        yield from _in_order(needed, known, (*above, name))
    if name not in known:
        known[name] = module
        yield module


def joined_source(entry: str, header: str, public: list[str]) -> str:
    """The text of a file that holds the module ``entry`` and all that it needs of this package.

    Args:
        entry: the module's full name.
        header: the file's docstring.
        public: the file's ``__all__``.

    Returns:
        Text that depends on the modules' text and the arguments alone.

    Raises:
        ReleaseError: two modules define one name, or an import cannot be resolved; the message says where.
    """
    modules = list(_in_order(entry, {}))
    statements = sorted({statement for module in modules for statement in _library_imports(module)})
    _refuse_clashes(modules)
    parts = [f'"""{header.strip()}\n"""', "\n".join(statements), f"__all__ = {public!r}"]
    for module in modules:
        banner = "\n".join(f"# {line}".rstrip() for line in [f"--- {module.name}", *module.docstring.splitlines()])
        parts.append(f"\n{banner}\n\n{module.body()}")
    text = "\n\n".join(parts) + "\n"
    compile(text, "joined source", "exec")
    return text


def _library_imports(module: _Module) -> Iterator[str]:
    """Its imports of the standard library, one name a statement."""
    for node in module.imports:
        if isinstance(node, ast.Import):
            yield from (ast.unparse(ast.Import([alias])) for alias in node.names)
        elif _own_module(module.name, node) is None:
            yield from (ast.unparse(ast.ImportFrom(node.module, [alias], 0)) for alias in node.names)


def _bound(statement: str) -> str:
    (alias,) = ast.parse(statement).body[0].names
    return alias.asname or alias.name.split(".")[0]


def _refuse_clashes(modules: list[_Module]) -> None:
    """A name means one thing in the joined file: one definition, or one import, and never both."""
    meant: dict[str, tuple[str, str]] = {}
    for module in modules:
        own = {name: f"{module.name}.{name}" for name in module.defines}
        own |= {_bound(statement): statement for statement in _library_imports(module)}
        for name, meaning in own.items():
            if name in vars(builtins):
                raise ReleaseError(
                    f"{module.name} gives the built-in name {name} a meaning of its own: rename it there"
                )
            other, where = meant.setdefault(name, (meaning, module.name))
            if other != meaning:
                raise ReleaseError(f"{where} and {module.name} both define {name}: rename it in one of them")
    for module in modules:
        for node in module.imports:
            if _own_module(module.name, node) is not None:
                missing = [alias.name for alias in node.names if alias.name not in meant]
                if missing:
                    raise ReleaseError(f"{module.name}, line {node.lineno}: {missing[0]} is defined nowhere")

"""What the code must not do anywhere: rules that a test of behaviour would see too late."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "nova"
SECRET_WORDS = ("signature", "secret", "token_hash", "hmac")


@functools.cache
def trees() -> tuple[tuple[Path, ast.Module], ...]:
    """Return every module of ours, parsed."""
    return tuple((path, ast.parse(path.read_text())) for path in sorted(ROOT.rglob("*.py")))


def names(node: ast.AST) -> set[str]:
    """Return the identifiers in an expression."""
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return found | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def is_secret(node: ast.AST) -> bool:
    return any(word in name.lower() for name in names(node) for word in SECRET_WORDS)


def is_constant(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Attribute) and node.attr.isupper())


def compared_with_timing(tree: ast.Module) -> list[int]:
    """Return the lines on which a secret is compared by ``==``: how long that takes tells how much fits."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops)
        and any(is_secret(side) for side in (node.left, *node.comparators))
        and not any(is_constant(side) for side in (node.left, *node.comparators))
    ]


def test_secrets_are_compared_in_constant_time() -> None:
    assert {str(path): lines for path, tree in trees() if (lines := compared_with_timing(tree))} == {}
    assert compared_with_timing(ast.parse("if signature != expected: pass")) == [1], "it sees nothing"


@pytest.mark.parametrize("banned", ["xml.sax", "xml.dom", "pickle", "marshal", "shelve", "yaml.load"])
def test_parsers_that_strangers_can_misuse_are_not_used(banned: str) -> None:
    """Entities of XML and objects of pickles: nothing of the sort is read."""
    users = []
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                modules = [f"{node.value.id}.{node.attr}"]
            else:
                continue
            users += [str(path) for module in modules if module == banned or module.startswith(banned + ".")]
    assert users == []


def test_no_program_is_started_by_a_shell() -> None:
    """What users write may become a word of a command; a shell would read it as commands."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                shell = [k for k in node.keywords if k.arg == "shell"]
                assert not shell, f"{path}:{node.lineno}"
                called = ast.unparse(node.func)
                assert called not in ("os.system", "os.popen", "eval", "exec"), f"{path}:{node.lineno}"

"""What a source file defines and what names it uses, read off its syntax tree, for each language by a table of nodes.

Names are matched as words: nothing is resolved, so a use is a hint that two files belong together, no proof.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tree_sitter import Node

from workers.grammars import grammar, parsed

_HEAD = 150
"""Characters of a definition's head that are kept."""
_SHORTEST = 3
"""Letters of a name that can say anything about where it is from."""
_WORD = re.compile(r"[^\W\d]\w*")

_PYTHON = {"function_definition": "name", "class_definition": "name"}
_JAVASCRIPT = {
    "function_declaration": "name",
    "generator_function_declaration": "name",
    "class_declaration": "name",
    "method_definition": "name",
}
_TYPESCRIPT = {
    **_JAVASCRIPT,
    "abstract_class_declaration": "name",
    "interface_declaration": "name",
    "type_alias_declaration": "name",
    "enum_declaration": "name",
    "function_signature": "name",
    "method_signature": "name",
    "abstract_method_signature": "name",
    "internal_module": "name",
}
_GO = {
    "function_declaration": "name",
    "method_declaration": "name",
    "type_spec": "name",
    "type_alias": "name",
}
_RUST = {
    "function_item": "name",
    "function_signature_item": "name",
    "struct_item": "name",
    "enum_item": "name",
    "union_item": "name",
    "trait_item": "name",
    "mod_item": "name",
    "type_item": "name",
    "const_item": "name",
    "static_item": "name",
    "macro_definition": "name",
    "impl_item": "type",
}
_JAVA = {
    "class_declaration": "name",
    "interface_declaration": "name",
    "enum_declaration": "name",
    "record_declaration": "name",
    "annotation_type_declaration": "name",
    "method_declaration": "name",
    "constructor_declaration": "name",
}
_DEFINES: Mapping[str, Mapping[str, str]] = {
    "python": _PYTHON,
    "javascript": _JAVASCRIPT,
    "typescript": _TYPESCRIPT,
    "tsx": _TYPESCRIPT,
    "go": _GO,
    "rust": _RUST,
    "java": _JAVA,
}
"""By grammar the nodes that define something, with the field that holds its name."""
_TOP: Mapping[str, Mapping[str, str]] = {
    "python": {"assignment": "left"},
    "javascript": {"variable_declarator": "name"},
    "typescript": {"variable_declarator": "name"},
    "tsx": {"variable_declarator": "name"},
    "go": {"const_spec": "name", "var_spec": "name"},
}
"""The same for variables, which count only where they stand outside of every definition."""
_SCOPES = frozenset({"arrow_function", "function_expression", "generator_function", "func_literal", "lambda"})
"""Nodes without a name of their own whose variables are nobody else's."""
_IMPORTS = frozenset(
    {"import_statement", "import_from_statement", "import_declaration", "use_declaration", "scoped_identifier"}
)
_LONGEST_IMPORT = 2_000
_FUTURE = "future_import_statement"
"""Names features of the language and no file."""
_WRAPPERS = frozenset({"decorated_definition", "export_statement", "lexical_declaration", "variable_declaration"})
"""Nodes that a definition may be the core of, and whose first line is its own then."""


@dataclass(frozen=True)
class Definition:
    """Something with a name: its lines from `start` to `end`, counted from 1, its head as one line, and how many
    definitions it stands in."""

    name: str
    start: int
    end: int
    head: str
    depth: int = 0

    def holds(self, line: int) -> bool:
        """The line is one of its own."""
        return self.start <= line <= self.end


@dataclass(frozen=True)
class Symbols:
    """The definitions of a file in their order, and how often it uses each name that is not the name of one of them
    where it is defined."""

    definitions: tuple[Definition, ...] = ()
    uses: Mapping[str, int] = field(default_factory=dict)
    imports: frozenset[str] = frozenset()
    """The words of what it imports, those of paths in texts too."""
    broken: bool = False
    """It does not fit its grammar everywhere."""


def symbols(path: str, data: bytes) -> Symbols:
    """What is in a file; nothing for a language without a grammar and for a file that is too long."""
    tree = parsed(path, data)
    if tree is None:
        return Symbols()
    kinds, top = _DEFINES[grammar(path)], _TOP.get(grammar(path), {})
    found: list[Definition] = []
    uses: Counter[str] = Counter()
    names: set[int] = set()
    imports: set[str] = set()
    for node, depth, first in _walk(tree.root_node, kinds):
        wanted = kinds.get(node.type) or (top.get(node.type) if not depth else None)
        name = _named(node, wanted) if wanted else None
        if name is not None:
            names.add(name.id)
            head = _head(node, data)
            found.append(Definition(_text(name, data), first + 1, node.end_point[0] + 1, head, depth))
        elif _imports(node, data):
            imports.update(_WORD.findall(_text(node, data, _LONGEST_IMPORT)))
        elif not node.named_child_count and node.type.endswith("identifier") and node.id not in names:
            uses[_text(node, data)] += 1
    kept = {name: count for name, count in sorted(uses.items()) if len(name) >= _SHORTEST}
    found.sort(key=lambda one: (one.start, -one.end, one.name))
    return Symbols(tuple(found), kept, frozenset(imports), tree.root_node.has_error)


def _walk(root: Node, kinds: Mapping[str, str]) -> Iterator[tuple[Node, int, int]]:
    """Every named node in its order, in how many definitions it stands, and the line (from 0) that it begins at with
    what belongs to it. Without recursion: a stranger's text may be nested as deep as it is long."""
    open_: list[tuple[Node, int, int]] = [(root, 0, 0)]
    while open_:
        node, depth, first = open_.pop()
        yield node, depth, first
        inner = depth + (node.type in kinds or node.type in _SCOPES)
        if node.type == _FUTURE:
            continue
        wraps = node.type in _WRAPPERS
        open_.extend((one, inner, first if wraps else one.start_point[0]) for one in reversed(node.named_children))


def _named(node: Node, wanted: str) -> Node | None:
    """The word that a definition is called by: the first of what its field holds (`Cart` of `impl Cart<T>`)."""
    name = node.child_by_field_name(wanted)
    while name is not None and name.named_child_count:
        name = name.named_child(0)
    return name if name is not None and name.type.endswith("identifier") else None


def _head(node: Node, data: bytes) -> str:
    """How it is declared, without what it does, in one line."""
    body = node.child_by_field_name("body")
    end = min(body.start_byte if body is not None else node.end_byte, node.start_byte + 4 * _HEAD)
    text = data[node.start_byte : end].decode("utf-8", "replace")
    return " ".join((text if body is not None else text.split("\n", 1)[0]).split())[:_HEAD].rstrip(" {")


def _imports(node: Node, data: bytes) -> bool:
    """It says what other file is used here."""
    if node.type in _IMPORTS:
        return True
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    return function is not None and _text(function, data) == "require"


def _text(node: Node, data: bytes, most: int = _HEAD) -> str:
    """What stands there, as far as a name can reach. Not `node.text`, which copies however much there is."""
    return data[node.start_byte : min(node.end_byte, node.start_byte + most)].decode("utf-8", "replace")

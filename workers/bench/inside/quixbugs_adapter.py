"""Runs inside the sandbox: makes the graphs and lists that some programs take, and says what counts of their results.

Standard library only, and nothing of Heal.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any


class Node:
    """A node with the attributes that the programs ask for."""

    def __init__(self, value: object = None) -> None:
        self.value = value
        self.successor: Node | None = None
        self.successors: list[Node] = []
        self.predecessors: list[Node] = []
        self.incoming_nodes: list[Node] = []
        self.outgoing_nodes: list[Node] = []


def linked(values: Sequence[object], back: int) -> list[Node]:
    """A linked list; its last node points to the one at `back`, if that is one of them."""
    nodes = [Node(value) for value in values]
    for node, following in itertools.pairwise(nodes):
        node.successor = following
    if 0 <= back < len(nodes):
        nodes[-1].successor = nodes[back]
    return nodes


def graph(size: int, edges: Iterable[tuple[int, int]]) -> list[Node]:
    """The nodes of a directed graph, which know each other."""
    nodes = [Node(number) for number in range(size)]
    for start, end in edges:
        nodes[start].successors.append(nodes[end])
        nodes[end].predecessors.append(nodes[start])
        nodes[start].outgoing_nodes.append(nodes[end])
        nodes[end].incoming_nodes.append(nodes[start])
    return nodes


def built(name: str, args: Any) -> tuple[Any, ...]:
    """The arguments that the program takes."""
    if name in ("detect_cycle", "reverse_linked_list"):
        nodes = linked(*args)
        return (nodes[0] if nodes else None,)
    if name in ("breadth_first_search", "depth_first_search"):
        size, edges, start, goal = args
        nodes = graph(size, edges)
        return nodes[start], nodes[goal]
    if name == "topological_ordering":
        return (graph(*args),)
    if name == "shortest_path_length":
        size, lengths, start, goal = args
        nodes = graph(size, lengths)
        return {(nodes[u], nodes[v]): far for (u, v), far in lengths.items()}, nodes[start], nodes[goal]
    return tuple(args)


def seen(name: str, result: Any, args: tuple[Any, ...]) -> Any:
    """What of the result has to be equal."""
    if name == "reverse_linked_list":
        values: list[object] = []
        while result is not None and len(values) < 1000:
            values.append(result.value)
            result = result.successor
        return values
    return in_order(result, args[0]) if name == "topological_ordering" else result


def in_order(result: Sequence[Node], nodes: Sequence[Node]) -> bool:
    """Every node once, and none before one that has an edge to it: there are several such orders, all right."""
    place = {id(node): at for at, node in enumerate(result)}
    if len(result) != len(nodes) or any(id(node) not in place for node in nodes):
        return False
    return all(place[id(before)] < place[id(node)] for node in nodes for before in node.incoming_nodes)

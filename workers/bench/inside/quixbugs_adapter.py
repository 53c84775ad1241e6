"""Runs inside the sandbox: makes the graphs and lists that some programs take, and says what counts of their results.

Standard library only.
"""


class Node:
    def __init__(self, value=None):
        self.value = value
        self.successor = None
        self.successors = []
        self.predecessors = []
        self.incoming_nodes = []
        self.outgoing_nodes = []


def linked(values, back):
    """A linked list; its last node points to the one at `back`, if that is one of them."""
    nodes = [Node(value) for value in values]
    for node, following in zip(nodes, nodes[1:]):
        node.successor = following
    if nodes and 0 <= back < len(nodes):
        nodes[-1].successor = nodes[back]
    return nodes


def graph(size, edges):
    nodes = [Node(number) for number in range(size)]
    for start, end in edges:
        nodes[start].successors.append(nodes[end])
        nodes[end].predecessors.append(nodes[start])
        nodes[start].outgoing_nodes.append(nodes[end])
        nodes[end].incoming_nodes.append(nodes[start])
    return nodes


def built(name, args):
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
        nodes = graph(size, list(lengths))
        return {(nodes[u], nodes[v]): long for (u, v), long in lengths.items()}, nodes[start], nodes[goal]
    return args


def seen(name, result, args):
    if name == "reverse_linked_list":
        values = []
        while result is not None and len(values) < 1000:
            values.append(result.value)
            result = result.successor
        return values
    if name == "topological_ordering":  # any order that keeps to the edges is right
        place = {id(node): at for at, node in enumerate(result)}
        known = len(place) == len(result) == len(args[0]) and all(id(node) in place for node in args[0])
        return known and all(place[id(before)] < place[id(node)] for node in args[0] for before in node.incoming_nodes)
    return result

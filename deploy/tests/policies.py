"""What NetworkPolicies let through, worked out as Kubernetes does."""

import ipaddress

from chart import NAMESPACE, of_kind


class Place:
    """Where a connection begins or ends: a pod with labels in a namespace, or an address outside."""

    def __init__(self, labels=None, namespace=NAMESPACE, address=None):
        self.labels, self.namespace, self.address = labels, namespace, address


def matches(selector, labels):
    """Whether labels fit a selector."""
    assert set(selector) <= {"matchLabels"}, selector
    wanted = selector.get("matchLabels", {})
    return all(labels.get(key) == value for key, value in wanted.items())


def is_peer(peer, place):
    """Whether a peer of a rule means a place."""
    if "ipBlock" in peer:
        block = ipaddress.ip_network(peer["ipBlock"]["cidr"])
        return place.address is not None and ipaddress.ip_address(place.address) in block
    if place.labels is None:
        return False
    spaces = peer.get("namespaceSelector")
    if spaces is None:
        here = place.namespace == NAMESPACE
    else:
        here = matches(spaces, {"kubernetes.io/metadata.name": place.namespace})
    return here and matches(peer.get("podSelector", {}), place.labels)


def lets(rules, side, place, port, protocol):
    """Whether one of the rules lets `place` through at `port`."""
    for rule in rules or []:
        ports = rule.get("ports")
        if ports is not None and (protocol, port) not in [(one.get("protocol", "TCP"), one["port"]) for one in ports]:
            continue
        peers = rule.get(side)
        if peers is None or any(is_peer(peer, place) for peer in peers):
            return True
    return False


def open_between(objects, begin, end, port, protocol="TCP"):
    """Whether a connection may be made: its beginning lets it out, its end lets it in."""
    policies = [one["spec"] for one in of_kind(objects, "NetworkPolicy").values()]
    for place, kind, side, other in (
        (begin, "Egress", "to", end),
        (end, "Ingress", "from", begin),
    ):
        if place.labels is None or place.namespace != NAMESPACE:
            continue
        chosen = [
            one
            for one in policies
            if kind in one["policyTypes"] and matches(one["podSelector"], place.labels)
        ]
        rules = [rule for one in chosen for rule in one.get(kind.lower()) or []]
        if chosen and not lets(rules, side, other, port, protocol):
            return False
    return True

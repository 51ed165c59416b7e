"""What an image wants of a host: architecture, hypervisor, mode and hypervisor version."""

from __future__ import annotations

import re
from typing import NamedTuple

from nova.objects.placement import PlacementRequest
from nova.scheduler.columns import Mask, Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import Question

_ARCHITECTURES = {"amd64": "x86_64", "x64": "x86_64", "i386": "i686", "i486": "i686", "i586": "i686"}
_HYPERVISORS = {"xapi": "xen", "powervm": "phyp"}
_MODES = {"pv": "xen", "hv": "hvm", "baremetal": "hvm"}
_PREDICATE = re.compile(r"\s*(<=|>=|==|!=|<|>|=)\s*([0-9]+(?:\.[0-9]+){0,2})\s*")


class Wants(NamedTuple):
    """What the image asks for; none where it does not care."""

    architecture: str | None
    hypervisor: str | None
    mode: str | None
    versions: str | None


class ImagePropertiesFilter(Filter):
    """Passes hosts that support the image's combination of architecture, hypervisor type and vm mode.

    The newer names of the properties win over the older ones.
    """

    def test(self, question: Question) -> Test | None:
        table = question.table
        wants = self._wants(question.request)
        if wants == (None, None, None, None):
            return None
        supported = table.supported.test(lambda triples: any(_suits(triple, wants) for triple in triples))
        if wants[:3] == (None, None, None):
            supported = table.supported.test(lambda _: True)
        if wants.versions is None:
            return supported
        predicate = wants.versions
        verdicts: dict[int, bool] = {}

        def version_suits(number: int) -> bool:
            if number not in verdicts:
                verdicts[number] = satisfies(number, predicate)
            return verdicts[number]

        def passes(rows: Rows) -> Mask:
            mask = supported(rows)
            for i, number in enumerate(table.hypervisor_version[rows].tolist()):
                mask[i] &= version_suits(number)
            return mask

        return passes

    def reason(self, question: Question, fell: Rows) -> str:
        wants = self._wants(question.request)
        parts = [w for w in wants[:3] if w]
        if wants.versions:
            parts.append(f"version {wants.versions}")
        return f"they do not offer what the image asks for: {', '.join(parts)}"

    def _wants(self, request: PlacementRequest) -> Wants:
        properties = request.image.properties if request.image else {}

        def first(*names: str) -> str | None:
            return next((str(properties[n]) for n in names if properties.get(n)), None)

        architecture = first("hw_architecture", "architecture")
        if architecture is None and request.image is not None:
            architecture = self.options.image_properties_default_architecture
        return Wants(
            _canonical(architecture, _ARCHITECTURES),
            _canonical(first("img_hv_type", "hypervisor_type"), _HYPERVISORS),
            _canonical(first("hw_vm_mode", "vm_mode"), _MODES),
            first("img_hv_requested_version", "hypervisor_version_requires"),
        )


def satisfies(number: int, predicate: str) -> bool:
    """Tell whether a version such as 6002000 (6.2.0) satisfies ``>=6.0, <7``; nonsense is never satisfied."""
    version = (number // 1_000_000, number // 1000 % 1000, number % 1000)
    return all(_satisfies_one(version, part) for part in predicate.split(","))


def _satisfies_one(version: tuple[int, ...], part: str) -> bool:
    found = _PREDICATE.fullmatch(part)
    if found is None:
        return False
    sign, text = found.groups()
    numbers = [int(n) for n in text.split(".")]
    wanted = (*numbers, *[0] * (3 - len(numbers)))
    return {
        "<": version < wanted,
        "<=": version <= wanted,
        ">": version > wanted,
        ">=": version >= wanted,
        "=": version == wanted,
        "==": version == wanted,
        "!=": version != wanted,
    }[sign]


def _suits(triple: tuple[str, str, str], wants: Wants) -> bool:
    offered = (
        _canonical(triple[0], _ARCHITECTURES),
        _canonical(triple[1], _HYPERVISORS),
        _canonical(triple[2], _MODES),
    )
    return all(want is None or want == have for want, have in zip(wants[:3], offered, strict=True))


def _canonical(word: str | None, aliases: dict[str, str]) -> str | None:
    if word is None:
        return None
    return aliases.get(word.lower(), word.lower())

"""Boot a server."""

from __future__ import annotations

from nova.conductor.engine.step import Step, Workflow
from nova.conductor.steps import host, place, record
from nova.conductor.workflows.inputs import BootInput


class Boot(Workflow):
    """Place an instance, claim its host and addresses, have its networks ready, build it, switch it on."""

    kind = "boot"
    input_type = BootInput
    steps = (
        Step(
            name="place",
            ask=place.ask_scheduler,
            do=place.claim,
            undo=place.release,
            needs_instance=True,
        ),
        Step(
            name="network",
            do=host.serve_networks,
            settle=host.networks_served,
            no_undo="the network's host follows the addresses, which place takes back",
            needs_instance=True,
        ),
        Step(
            name="build",
            do=host.build,
            settle=host.built,
            undo=host.unbuild,
            undone=host.unbuilt,
            needs_instance=True,
        ),
        Step(name="activate", do=record.activate, no_undo="the last step: only ever forward"),
    )
    retry_from = "place"
    attempts = 3
    failed = staticmethod(record.build_failed)

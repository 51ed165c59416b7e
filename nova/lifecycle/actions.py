"""The table of server actions (facts: Compute API reference, state tables and transitions).

One row says all there is to know about when an action may start, what the instance shows meanwhile and where
it ends.  An action that is one call of the driver needs nothing but its row here, the driver's method, the
deed in ``nova/compute/ops/act.py`` and its operation in ``nova/api/compute/servers/actions.py``.
"""

from __future__ import annotations

from nova.objects.base import Value
from nova.objects.states import Capability, Power, Task, Vm

ANY_VM: frozenset[Vm] = frozenset(Vm)
IDLE: frozenset[Task | None] = frozenset({None})
ANY_TASK: frozenset[Task | None] = frozenset({None, *Task})
_RUNNING_OR_OFF = frozenset({Vm.ACTIVE, Vm.STOPPED, Vm.PAUSED, Vm.SUSPENDED})
_HARD_REBOOT_TASKS: frozenset[Task | None] = frozenset(
    {
        None,
        Task.REBOOTING,
        Task.REBOOT_PENDING,
        Task.REBOOT_STARTED,
        Task.REBOOTING_HARD,
        Task.RESUMING,
        Task.UNPAUSING,
        Task.PAUSING,
        Task.SUSPENDING,
    }
)


class Action(Value, frozen=True, kw_only=True):
    """One row of the table."""

    name: str
    """Our word."""
    record: str = ""
    """Name of the instance action the API shows; empty: none is recorded."""
    event: str = ""
    """Name of its event, as clients know it."""
    vm: frozenset[Vm] = ANY_VM
    task: frozenset[Task | None] = IDLE
    while_: Task | None = None
    """Task state from the request on until it has ended."""
    done: Vm | None = None
    """vm_state after success; none: the one before."""
    power: Power | None = None
    """power_state expected after success (the report's own wins)."""
    needs: Capability | None = None
    lockable: bool = True
    """A lock stops it for callers that are not administrators."""
    needs_host: bool = False
    needs_launched: bool = True
    """Refused for an instance that never ran."""
    defines_anew: bool = False
    """The host may have to define the guest again, so it is told what the guest is."""
    keeps_console: bool = False
    """The guest's console stays where it was; after others another guest may listen there."""
    workflow: str | None = None
    """Class of workflow; none: settled within the request."""
    beats_all: bool = False
    """Wins over whatever runs."""
    error_on_failure: bool = False
    """A failure leaves ERROR; otherwise the state before comes back."""
    deadline_s: float = 1800.0
    """Far above any legitimate duration of one waiting step."""

    @property
    def word(self) -> str:
        """The name that messages show: users ask for a reboot, be it soft or hard."""
        return self.record or self.name


_ROWS = (
    Action(
        name="create",
        record="create",
        event="compute__do_build_and_run_instance",
        vm=frozenset({Vm.BUILDING}),
        while_=Task.SCHEDULING,
        done=Vm.ACTIVE,
        power=Power.RUNNING,
        needs_launched=False,
        workflow="boot",
        error_on_failure=True,
        deadline_s=3600.0,
    ),
    *(
        Action(
            name=name,
            record="delete",
            event="compute_terminate_instance",
            task=ANY_TASK,
            while_=Task.DELETING,
            done=Vm.DELETED,
            power=Power.NOSTATE,
            needs_launched=False,
            workflow="delete",
            beats_all=True,
            error_on_failure=True,
        )
        for name in ("delete", "forceDelete")
    ),
    Action(
        name="stop",
        record="stop",
        event="compute_stop_instance",
        vm=frozenset({Vm.ACTIVE, Vm.ERROR}),
        while_=Task.POWERING_OFF,
        done=Vm.STOPPED,
        power=Power.SHUTDOWN,
        needs_host=True,
        workflow="act",
        deadline_s=900.0,
    ),
    Action(
        name="start",
        record="start",
        event="compute_start_instance",
        vm=frozenset({Vm.STOPPED}),
        while_=Task.POWERING_ON,
        done=Vm.ACTIVE,
        power=Power.RUNNING,
        needs_host=True,
        defines_anew=True,
        workflow="act",
        deadline_s=600.0,
    ),
    Action(
        name="reboot_soft",
        record="reboot",
        event="compute_reboot_instance",
        vm=frozenset({Vm.ACTIVE}),
        while_=Task.REBOOTING,
        done=Vm.ACTIVE,
        power=Power.RUNNING,
        needs_host=True,
        defines_anew=True,
        workflow="act",
        deadline_s=900.0,
    ),
    Action(
        name="reboot_hard",
        record="reboot",
        event="compute_reboot_instance",
        vm=_RUNNING_OR_OFF | {Vm.ERROR},
        task=_HARD_REBOOT_TASKS,
        while_=Task.REBOOTING_HARD,
        done=Vm.ACTIVE,
        power=Power.RUNNING,
        needs_host=True,
        defines_anew=True,
        workflow="act",
        deadline_s=600.0,
    ),
    Action(
        name="pause",
        record="pause",
        event="compute_pause_instance",
        vm=frozenset({Vm.ACTIVE}),
        while_=Task.PAUSING,
        done=Vm.PAUSED,
        power=Power.PAUSED,
        needs=Capability.PAUSE,
        needs_host=True,
        keeps_console=True,
        workflow="act",
        deadline_s=300.0,
    ),
    Action(
        name="unpause",
        record="unpause",
        event="compute_unpause_instance",
        vm=frozenset({Vm.PAUSED}),
        while_=Task.UNPAUSING,
        done=Vm.ACTIVE,
        power=Power.RUNNING,
        needs=Capability.PAUSE,
        needs_host=True,
        keeps_console=True,
        workflow="act",
        deadline_s=300.0,
    ),
    Action(
        name="suspend",
        record="suspend",
        event="compute_suspend_instance",
        vm=frozenset({Vm.ACTIVE}),
        while_=Task.SUSPENDING,
        done=Vm.SUSPENDED,
        power=Power.SHUTDOWN,
        needs=Capability.SUSPEND,
        needs_host=True,
        workflow="act",
    ),
    Action(
        name="resume",
        record="resume",
        event="compute_resume_instance",
        vm=frozenset({Vm.SUSPENDED}),
        while_=Task.RESUMING,
        done=Vm.ACTIVE,
        power=Power.RUNNING,
        needs=Capability.SUSPEND,
        needs_host=True,
        defines_anew=True,
        workflow="act",
    ),
    Action(
        name="createImage",
        record="createImage",
        event="compute_snapshot_instance",
        vm=_RUNNING_OR_OFF,
        while_=Task.IMAGE_SNAPSHOT_PENDING,
        needs=Capability.SNAPSHOT,
        needs_host=True,
        lockable=False,
        workflow="snapshot",
        deadline_s=7200.0,
    ),
    Action(name="lock", record="lock", event="api_lock", task=ANY_TASK, lockable=False, needs_launched=False),
    Action(
        name="unlock",
        record="unlock",
        event="api_unlock",
        task=ANY_TASK,
        lockable=False,
        needs_launched=False,
    ),
    Action(name="resetState", task=ANY_TASK, lockable=False, needs_launched=False),
    Action(name="metadata", vm=_RUNNING_OR_OFF),
    Action(name="tags", vm=_RUNNING_OR_OFF, task=ANY_TASK, lockable=False, needs_launched=False),
    Action(
        name="getConsoleOutput",
        task=ANY_TASK,
        lockable=False,
        needs=Capability.CONSOLE_LOG,
        needs_host=True,
        needs_launched=False,
    ),
    Action(
        name="getConsole",
        task=ANY_TASK - {Task.DELETING, Task.MIGRATING},
        lockable=False,
        needs_host=True,
        needs_launched=False,
    ),
    Action(
        name="diagnostics",
        task=ANY_TASK,
        lockable=False,
        needs=Capability.DIAGNOSTICS,
        needs_host=True,
        needs_launched=False,
    ),
    Action(name="securityGroups", task=ANY_TASK, lockable=False, needs_launched=False),
)

ACTIONS: dict[str, Action] = {row.name: row for row in _ROWS}
"""Every action by our word for it."""


def is_cancellable(workflow: str) -> bool:
    """Tell whether a workflow of this kind may be cancelled; what wins over everything may not."""
    return not any(action.beats_all for action in _ROWS if action.workflow == workflow)

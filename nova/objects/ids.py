"""Identifiers as types, so that an instance id is never passed where a host name belongs."""

from __future__ import annotations

from typing import NewType

InstanceId = NewType("InstanceId", str)
"""uuid of an instance, lower case with dashes."""
FlavorId = NewType("FlavorId", str)
"""The id users give a flavor, any text."""
ImageId = NewType("ImageId", str)
NetworkId = NewType("NetworkId", str)
VifId = NewType("VifId", str)
"""uuid of a virtual interface; the API calls it a port."""
VolumeId = NewType("VolumeId", str)
ProjectId = NewType("ProjectId", str)
UserId = NewType("UserId", str)
HostName = NewType("HostName", str)
"""Name of the machine a daemon runs on (option ``host``)."""
NodeName = NewType("NodeName", str)
"""Name of a hypervisor; equals the host name except for drivers that lead clusters."""
WorkflowId = NewType("WorkflowId", str)
JobId = NewType("JobId", str)
"""``<workflow id>:<step name>:<attempt>:<index>``; the same job sent twice has the same id."""
GroupId = NewType("GroupId", str)
"""uuid of a server group."""
SecurityGroupId = NewType("SecurityGroupId", str)
AggregateId = NewType("AggregateId", int)
ServiceId = NewType("ServiceId", str)
RequestId = NewType("RequestId", str)

"""Errors about servers and what is asked of them."""

from __future__ import annotations

from nova.errors import BadRequest, Conflict, Forbidden, NotFound, NovaError


class InstanceNotFound(NotFound):
    ec2, template = "InvalidInstanceID.NotFound", "Instance {id} could not be found."


class InstanceInWrongState(Conflict):
    """``attribute`` is ``vm_state`` or ``task_state``; the wording is what clients have been seen to read."""

    template = "Cannot '{action}' instance {id} while it is in {attribute} {state}"


class InstanceNeverLaunched(Conflict):
    template = "Cannot '{action}' instance {id}: it has never been active."


class InstanceHasNoHost(Conflict):
    template = "Instance {id} is not on a host: wait until it has been built."


class InstanceHasNoGuest(Conflict):
    """It is being built, or could not be; or its guest is gone though nobody deleted it."""

    template = "Instance {id} is not ready: its host has no guest of it."


class InstanceChanged(Conflict):
    template = "Instance {id} has changed meanwhile. Please try again."


class InstanceLocked(Conflict):
    ec2, template = "OperationNotPermitted", "Instance {id} is locked"


class UnlockForbidden(Forbidden):
    template = "Instance {id} was locked by an administrator; only one can unlock it."


class QuotaExceeded(Forbidden):
    """``resources``, ``requested``, ``used`` and ``allowed`` are comma lists of equal length."""

    ec2 = "InstanceLimitExceeded"
    template = (
        "Quota exceeded for {resources}: Requested {requested}, "
        "but already used {used} of {allowed} {resources}"
    )


class QuotaExceededSimply(Forbidden):
    ec2, template = "ResourceLimitExceeded", "{reason}"


class TooManyInterfaces(Forbidden):
    """Whatever the quota says: each takes a slot in the guest and an address."""

    ec2, template = "ResourceLimitExceeded", "Maximum number of ports exceeded: a server can have {most}."


class FlavorNotFound(NotFound):
    ec2, template = "InvalidParameterValue", "Flavor {id} could not be found."


class FlavorUnusable(BadRequest):
    template = "Flavor {id} could not be found."


class FlavorTooSmall(BadRequest):
    template = "Flavor's {resource} is too small for requested image. {reason}"


class ImageNotFound(NotFound):
    ec2, template = "InvalidAMIID.NotFound", "Image {id} could not be found."


class ImageUnknown(BadRequest):
    """Named in a body."""

    ec2, template = "InvalidAMIID.NotFound", "Can not find requested image"


class BootFileUnknown(BadRequest):
    """A part of an image in three parts is not there, or not for the caller."""

    ec2 = "InvalidAMIID.NotFound"
    template = "The {part} {id} that image {image} names can not be found. Name one that you may use."


class ImageNotActive(BadRequest):
    ec2, template = "InvalidAMIID.Unavailable", "Image {id} is not active."


class ZoneUnknown(BadRequest):
    """No host is in the availability zone that was asked for."""

    template = "The requested availability zone is not available"


class KeyPairUnknown(BadRequest):
    ec2, template = "InvalidKeyPair.NotFound", "Invalid key_name provided."


class KeyPairNotFound(NotFound):
    ec2, template = "InvalidKeyPair.NotFound", "Keypair {name} not found for user {user_id}"


class KeyPairExists(Conflict):
    ec2, template = "InvalidKeyPair.Duplicate", "Key pair '{name}' already exists."


class NoValidHost(NovaError):
    """The sentence of the explanation follows the words every client knows."""

    ec2, template = "InsufficientInstanceCapacity", "No valid host was found. {reason}"


class BuildGaveUp(NovaError):
    """Every host that was tried failed; ``reason`` is the last one's.  Users read it: no names of hosts."""

    template = (
        "No valid host was found. All hosts that were tried ({attempts}) failed to build the server; "
        "the last one says: {reason}"
    )


class DeadlinePassed(NovaError):
    """A step was not reported in time."""

    template = "{what} was not finished within {seconds:.0f} seconds on host {host}; it was given up."


class WorkflowSuperseded(Conflict):
    """A later request, such as a delete, took over."""

    template = "Instance {id} was taken over by another request ({action})."


class Cancelled(NovaError):
    """Somebody cancelled it."""

    template = "The action {action} was cancelled."


class HostUnknown(BadRequest):
    template = "Compute host {host} could not be found. The hypervisors of this cloud are the choice."


class ServerGroupNotFound(NotFound):
    template = "Instance group {id} could not be found."


class ServerGroupUnknown(BadRequest):
    """Named in a scheduler hint."""

    template = "Instance group {id} could not be found."


class TagNotFound(NotFound):
    template = "Instance {id} has no tag '{tag}'"


class MetadataNotFound(NotFound):
    template = "Metadata item was not found"


class ActionNotFound(NotFound):
    template = "Action for request_id {request_id} on instance {id} not found"


class NetworkUnknown(BadRequest):
    ec2, template = "InvalidSubnetID.NotFound", "Network {id} could not be found."


class NetworkAmbiguous(Conflict):
    template = "Multiple possible networks found, use a Network ID to be more specific: {names}"


class PortUnknown(BadRequest):
    """Named in a body."""

    ec2, template = "InvalidNetworkInterfaceID.NotFound", "Port id {id} could not be found."


class CertificatesUnsupported(BadRequest):
    """Ignoring them would start what the user wanted proved first."""

    template = "Image certificates are not validated in this cloud; leave trusted_image_certificates out."


class FixedIpInUse(BadRequest):
    template = "Fixed IP address {address} is already in use on instance."


class FixedIpInvalid(BadRequest):
    template = "Fixed IP address {address} does not belong to network {network} or cannot be given out."


class NoMoreAddresses(Conflict):
    ec2, http = "InsufficientFreeAddressesInSubnet", 409
    template = "Network {network} has no free address left."


class SecurityGroupUnknown(BadRequest):
    """Named in a body."""

    ec2, template = "InvalidGroup.NotFound", "Unable to find security_group with name or id '{name}'"


class ServiceDown(Conflict):
    template = "Service is unavailable at this time: the host {host} of the server does not report."

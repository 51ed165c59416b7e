"""Errors about what operators and projects keep: flavors, key pairs, quotas, groups, networks, hosts."""

from __future__ import annotations

from nova.errors import BadRequest, Conflict, Forbidden, NotFound, NovaError


class FlavorExists(Conflict):
    """``field`` is ``name`` or ``ID``."""

    template = "Flavor with {field} {value} already exists."


class FlavorExtraSpecNotFound(NotFound):
    template = "Flavor {id} has no extra specs with key {key}."


class FlavorIsPublic(NotFound):
    """Everybody may use it, so it has no list of those who may."""

    template = "Access list not available for public flavors."


class FlavorAccessExists(Conflict):
    template = "Flavor access already exists for flavor {id} and project {project} combination."


class FlavorAccessNotFound(NotFound):
    template = "Flavor access not found for {id} / {project} combination."


class KeyPairInvalid(BadRequest):
    ec2, template = "InvalidKey.Format", "Keypair data is invalid: {reason}"


class QuotaBelowUse(BadRequest):
    template = (
        "Quota limit {limit} for {resource} must be greater than or equal to "
        "already used and reserved {used}."
    )


class QuotaAboveProject(BadRequest):
    template = "Quota limit {limit} for {resource} must be less than or equal to {most}, the project's."


class QuotaOfProjectsOnly(BadRequest):
    template = "Only whole projects have limits for {names}."


class QuotaUnknown(BadRequest):
    template = "Bad key(s) in quota set: {names}"


class NetworkNotFound(NotFound):
    ec2, template = "InvalidSubnetID.NotFound", "Network {id} could not be found."


class NetworkInvalid(BadRequest):
    template = "The network cannot be made: {reason}"


class NetworkConflict(Conflict):
    template = "The network cannot be made: {reason}"


class NetworkInUse(Conflict):
    ec2, template = "DependencyViolation", "Network {id} is in use: servers hold addresses of it."


class SecurityGroupNotFound(NotFound):
    ec2, template = "InvalidGroup.NotFound", "Security group {id} not found."


class SecurityGroupExists(BadRequest):
    ec2, template = "InvalidGroup.Duplicate", "Security group {name} already exists."


class SecurityGroupInUse(BadRequest):
    ec2, template = "DependencyViolation", "Security group is still in use"


class SecurityGroupFixed(BadRequest):
    """The default group keeps its name and stays."""

    ec2, template = "InvalidGroup.Reserved", "Unable to {action} system group 'default'"


class SecurityRuleNotFound(NotFound):
    ec2, template = "InvalidPermission.NotFound", "Rule ({id}) not found."


class SecurityRuleExists(BadRequest):
    ec2, template = "InvalidPermission.Duplicate", "This rule already exists in group {group}"


class SecurityRuleInvalid(BadRequest):
    ec2, template = "InvalidPermission.Malformed", "{reason}"


class OutOfQuota(Forbidden):
    """The short form of the resources of which only one is asked for at a time; ``things`` is a plural."""

    ec2, template = "ResourceLimitExceeded", "Quota exceeded, too many {things}."


class ServiceNotFound(NotFound):
    template = "Service {id} could not be found."


class ServiceInUse(Conflict):
    template = "Unable to delete compute service that is hosting instances. {count} are on host {host}."


class HypervisorNotFound(NotFound):
    template = "Compute host {id} could not be found."


class ComputeHostNotFound(NotFound):
    """Named in a body, where the API answers 404 all the same."""

    template = "Compute host {host} could not be found."


class AggregateNotFound(NotFound):
    template = "Aggregate {id} could not be found."


class AggregateExists(Conflict):
    template = "Aggregate {name} already exists."


class AggregateHostExists(Conflict):
    template = "Aggregate {id} already has host {host}."


class AggregateHostNotFound(NotFound):
    template = "Aggregate {id} has no host {host}."


class AggregateRefused(BadRequest):
    """What is asked of the aggregate itself cannot be."""

    template = "Cannot {action} aggregate {id}. Reason: {reason}."


class AggregateHostRefused(AggregateRefused):
    """The host would be in two zones."""

    http, ec2 = 409, "IncorrectState"


class ImageServiceAmiss(NovaError):
    """Told to operators: what is wrong with the image service, as configured."""

    template = "{reason}"

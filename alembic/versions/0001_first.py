"""The first schema."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from alembic import op

revision = "0001"
down_revision = None


def text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


UUID = text(36)
NAME = text(255)
WORD = text(64)
MOMENT = text(27)
JSON = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
COUNT = sa.Integer()
BIG = sa.BigInteger()
FLAG = sa.SmallInteger()
SECONDS: sa.types.TypeEngine[Any] = sa.Double()


def needed(name: str, kind: sa.types.TypeEngine[Any], **kwargs: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **kwargs)


def table(name: str, *parts: sa.schema.SchemaItem) -> None:
    """Declare a table of the first schema."""
    sa.Table(
        name,
        FIRST,
        *parts,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        sqlite_autoincrement=True,
    )


FIRST = sa.MetaData()


def upgrade() -> None:
    """Make what is not there yet: on MySQL an attempt that broke off leaves tables behind."""
    bind = op.get_bind()
    declare_clouds()
    declare_work()
    before = set(sa.inspect(bind).get_table_names())
    if bind.dialect.name == "mysql":
        for new in FIRST.sorted_tables:
            if new.name not in before:
                create_with_indexes(bind, new)
    FIRST.create_all(bind)
    there = sa.inspect(bind)
    for made in FIRST.tables.values():
        if made.name not in before:
            continue
        known = {index["name"] for index in there.get_indexes(made.name)}
        for index in made.indexes:
            if index.name not in known:
                index.create(bind)


def create_with_indexes(bind: sa.Connection, new: sa.Table) -> None:
    """Make a table in one statement: on MySQL each commits by itself, and waits for the disk."""
    quote = bind.dialect.identifier_preparer.quote
    head, end, options = str(CreateTable(new).compile(dialect=bind.dialect)).rpartition("\n)")
    for index in sorted(new.indexes, key=lambda index: str(index.name)):
        columns = ", ".join(quote(column.name) for column in index.columns)
        head += f",\n\tINDEX {quote(str(index.name))} ({columns})"
    bind.exec_driver_sql(f"{head}{end}{options}")


def declare_clouds() -> None:

    table(
        "aggregates",
        sa.Column("id", COUNT, primary_key=True, autoincrement=True),
        needed("uuid", UUID, unique=True),
        needed("name", NAME, unique=True),
        needed("revision", BIG),
        needed("created_at", MOMENT),
        needed("updated_at", MOMENT),
        needed("hosts", JSON),
        needed("metadata", JSON),
    )
    table(
        "allocations",
        sa.Column("instance_id", UUID, primary_key=True),
        sa.Column("host", NAME, primary_key=True),
        sa.Column("node", NAME, primary_key=True),
        needed("vcpus", BIG),
        needed("ram_mb", BIG),
        needed("disk_gb", BIG),
        sa.Index("allocations_of_host", "host", "node"),
    )
    table(
        "compute_nodes",
        sa.Column("number", COUNT, primary_key=True, autoincrement=True),
        needed("id", UUID, unique=True),
        needed("host", NAME),
        needed("node", NAME),
        needed("max_vcpus", BIG),
        needed("max_ram_mb", BIG),
        needed("max_disk_gb", BIG),
        needed("used_vcpus", BIG),
        needed("used_ram_mb", BIG),
        needed("used_disk_gb", BIG),
        needed("instances", COUNT),
        needed("io_ops", COUNT),
        needed("failed_builds", COUNT),
        needed("generation", BIG),
        needed("position", BIG),
        needed("gone", FLAG),
        needed("stamp", UUID),
        needed("updated_at", MOMENT),
        needed("inventory", JSON),
        sa.UniqueConstraint("host", "node", name="compute_nodes_names"),
        sa.Index("compute_nodes_feed", "position"),
    )
    table(
        "console_tokens",
        sa.Column("hash", text(64), primary_key=True),
        needed("instance_id", UUID),
        needed("protocol", WORD),
        needed("type", WORD),
        needed("host", NAME),
        needed("port", COUNT),
        needed("internal_path", NAME),
        needed("expires_at", MOMENT),
        sa.Index("console_tokens_by_end", "expires_at"),
        sa.Index("console_tokens_of_instance", "instance_id"),
    )
    table(
        "ec2_ids",
        sa.Column("number", COUNT, primary_key=True, autoincrement=True),
        needed("kind", WORD),
        needed("uuid", UUID),
        sa.UniqueConstraint("kind", "uuid", name="ec2_ids_uuids"),
    )
    table(
        "guest_passwords",
        sa.Column("instance_id", UUID, primary_key=True),
        needed("password", JSON),
    )
    table(
        "feeds",
        sa.Column("name", WORD, primary_key=True),
        needed("position", BIG),
    )
    table(
        "fixed_ips",
        sa.Column("network_id", UUID, primary_key=True),
        sa.Column("address", text(39), primary_key=True),
        needed("number", BIG),
        needed("instance_id", UUID),
        needed("vif_id", UUID),
        needed("mac", WORD),
        needed("hostname", NAME),
        needed("host", NAME),
        needed("leased", FLAG),
        needed("reserved", FLAG),
        sa.Index("fixed_ips_addresses", "address"),
        sa.Index("fixed_ips_numbers", "network_id", "number"),
        sa.Index("fixed_ips_of_instance", "instance_id"),
        sa.Index("fixed_ips_of_vif", "vif_id"),
    )
    table(
        "flavors",
        sa.Column("id", NAME, primary_key=True),
        needed("name", NAME, unique=True),
        needed("is_public", FLAG),
        needed("revision", BIG),
        needed("body", JSON),
    )
    table(
        "instance_tags",
        sa.Column("instance_id", UUID, primary_key=True),
        sa.Column("tag", text(60), primary_key=True),
        sa.Index("instance_tags_by_tag", "tag", "instance_id"),
    )
    table(
        "instances",
        sa.Column("id", UUID, primary_key=True),
        needed("project_id", NAME),
        needed("user_id", NAME),
        needed("vm_state", WORD),
        needed("task_state", WORD),
        needed("power_state", FLAG),
        needed("host", NAME),
        needed("node", NAME),
        needed("availability_zone", NAME),
        needed("locked_by", WORD),
        needed("locked_reason", NAME),
        needed("progress", FLAG),
        needed("revision", COUNT),
        needed("stamp", UUID),
        needed("deleted", FLAG),
        needed("created_at", MOMENT),
        needed("changed_at", MOMENT),
        needed("launched_at", MOMENT),
        needed("terminated_at", MOMENT),
        needed("deleted_at", MOMENT),
        needed("display_name", NAME),
        needed("hostname", NAME),
        needed("description", NAME),
        needed("key_name", NAME),
        needed("reservation_id", WORD),
        needed("flavor_id", NAME),
        needed("image_id", NAME),
        needed("launch_index", COUNT),
        needed("root_device_name", NAME),
        needed("access_ip_v4", text(39)),
        needed("access_ip_v6", text(39)),
        needed("auto_disk_config", FLAG),
        needed("config_drive", FLAG),
        needed("server_group_id", UUID),
        needed("vcpus", COUNT),
        needed("ram_mb", COUNT),
        needed("local_gb", COUNT),
        needed("body", JSON),
        needed("metadata", JSON),
        needed("tags", JSON),
        needed("vifs", JSON),
        needed("security_groups", JSON),
        needed("block_devices", JSON),
        needed("fault", JSON),
        sa.Index("instances_by_age", "deleted", "created_at", "id"),
        sa.Index("instances_changed", "changed_at"),
        sa.Index("instances_of_host", "host", "deleted"),
        sa.Index("instances_of_project", "project_id", "deleted", "created_at", "id"),
        sa.Index("instances_of_reservation", "reservation_id"),
    )
    table(
        "jobs",
        sa.Column("id", text(190), primary_key=True),
        needed("workflow_id", UUID),
        needed("instance_id", UUID),
        needed("request_id", WORD),
        needed("step", WORD),
        needed("event", WORD),
        needed("topic", WORD),
        needed("host", NAME),
        needed("fence", BIG),
        needed("open", FLAG),
        needed("sends", COUNT),
        needed("stamp", UUID),
        needed("deadline_s", SECONDS),
        needed("started_at", MOMENT),
        needed("finished_at", MOMENT),
        needed("result", WORD),
        needed("details", JSON),
        needed("order", JSON),
        needed("outcome", JSON),
        sa.Index("jobs_of_instance", "instance_id"),
        sa.Index("jobs_of_workflow", "workflow_id"),
        sa.Index("jobs_owed", "open", "host", "topic"),
    )
    table(
        "key_pairs",
        sa.Column("id", COUNT, primary_key=True, autoincrement=True),
        needed("user_id", NAME),
        needed("name", NAME),
        needed("fingerprint", NAME),
        needed("type", WORD),
        needed("created_at", MOMENT),
        needed("public_key", JSON),
        sa.UniqueConstraint("user_id", "name", name="key_pairs_names"),
    )


def declare_work() -> None:
    table(
        "networks",
        sa.Column("id", UUID, primary_key=True),
        needed("label", NAME),
        needed("project_id", NAME),
        needed("host", NAME),
        needed("first", BIG),
        needed("last", BIG),
        needed("cursor", BIG),
        needed("body", JSON),
        sa.Index("networks_of_project", "project_id"),
    )
    table(
        "owners",
        sa.Column("id", UUID, primary_key=True),
        needed("host", NAME),
        needed("beats", BIG),
        needed("seen_at", MOMENT),
    )
    table(
        "quota_limits",
        sa.Column("scope", NAME, primary_key=True),
        sa.Column("user_id", NAME, primary_key=True),
        sa.Column("resource", WORD, primary_key=True),
        needed("hard_limit", COUNT),
    )
    table(
        "quota_usages",
        sa.Column("scope", NAME, primary_key=True),
        needed("instances", BIG),
        needed("cores", BIG),
        needed("ram", BIG),
        needed("key_pairs", BIG),
        needed("server_groups", BIG),
        needed("security_groups", BIG),
        needed("floating_ips", BIG),
        needed("networks", BIG),
    )
    table(
        "security_group_members",
        sa.Column("group_id", UUID, primary_key=True),
        sa.Column("instance_id", UUID, primary_key=True),
        sa.Index("security_group_members_of_instance", "instance_id"),
    )
    table(
        "security_group_rules",
        sa.Column("id", UUID, primary_key=True),
        needed("group_id", UUID),
        needed("protocol", WORD),
        needed("from_port", COUNT),
        needed("to_port", COUNT),
        needed("cidr", text(43)),
        needed("source_group_id", UUID),
        sa.Index("security_group_rules_of_group", "group_id"),
        sa.Index("security_group_rules_of_source", "source_group_id"),
    )
    table(
        "security_groups",
        sa.Column("id", UUID, primary_key=True),
        needed("name", NAME),
        needed("project_id", NAME),
        needed("description", NAME),
        sa.UniqueConstraint("project_id", "name", name="security_groups_names"),
    )
    table(
        "server_group_hosts",
        sa.Column("group_id", UUID, primary_key=True),
        sa.Column("host", NAME, primary_key=True),
        needed("members", COUNT),
    )
    table(
        "server_group_members",
        sa.Column("group_id", UUID, primary_key=True),
        sa.Column("instance_id", UUID, primary_key=True),
        needed("host", NAME),
        sa.Index("server_group_members_of_instance", "instance_id"),
    )
    table(
        "server_groups",
        sa.Column("number", COUNT, primary_key=True, autoincrement=True),
        needed("id", UUID, unique=True),
        needed("name", NAME),
        needed("policy", WORD),
        needed("max_per_host", COUNT),
        needed("project_id", NAME),
        needed("user_id", NAME),
        needed("only_host", NAME),
        sa.Index("server_groups_of_project", "project_id"),
    )
    table(
        "services",
        sa.Column("number", COUNT, primary_key=True, autoincrement=True),
        needed("id", UUID, unique=True),
        needed("host", NAME),
        needed("binary", WORD),
        needed("topic", WORD),
        needed("disabled", FLAG),
        needed("disabled_reason", NAME),
        needed("forced_down", FLAG),
        needed("version", COUNT),
        needed("beats", BIG),
        needed("seen_at", MOMENT),
        needed("updated_at", MOMENT),
        needed("created_at", MOMENT),
        sa.UniqueConstraint("binary", "host", name="services_names"),
    )
    table(
        "workflows",
        sa.Column("id", UUID, primary_key=True),
        needed("kind", WORD),
        needed("action", WORD),
        needed("instance_id", UUID),
        needed("request_id", WORD),
        needed("user_id", NAME),
        needed("project_id", NAME),
        needed("state", WORD),
        needed("running", FLAG),
        needed("step", COUNT),
        needed("attempt", COUNT),
        needed("fence", BIG),
        needed("owner", UUID),
        needed("stamp", UUID),
        needed("started_at", MOMENT),
        needed("step_started_at", MOMENT),
        needed("updated_at", MOMENT),
        needed("finished_at", MOMENT),
        needed("message", JSON),
        needed("input", JSON),
        needed("notes", JSON),
        needed("explanation", JSON),
        sa.Index("workflows_finished", "finished_at"),
        sa.Index("workflows_of_instance", "instance_id", "started_at"),
        sa.Index("workflows_running", "running", "owner", "state"),
    )
    table(
        "flavor_access",
        sa.Column("flavor_id", NAME, sa.ForeignKey("flavors.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("project_id", NAME, primary_key=True),
    )

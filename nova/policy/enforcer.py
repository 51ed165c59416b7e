"""oslo.policy behind a cache: one decision per rule, kind of caller and target."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from oslo_config import cfg
from oslo_policy import policy as oslo

from nova.clock import Clock
from nova.conf.policy import PolicyConf
from nova.context import RequestContext
from nova.errors.http import PolicyForbids
from nova.policy.rules import BASE_RULES, Rule

_CACHE_SIZE = 20_000


class Target(msgspec.Struct, frozen=True):
    """What is to be touched: the project and the user that own it."""

    project_id: str = ""
    user_id: str = ""


class Policy:
    """Answers whether a context may do something to a target.

    Decisions are cached until the policy file changes; the file's age is looked at every
    ``conf.reload_seconds``.  Thread-safe: the cache is a plain dict that is replaced, never locked.
    """

    def __init__(self, rules: Iterable[Rule], conf: PolicyConf, clock: Clock) -> None:
        self._conf = conf
        self._clock = clock
        self.rules: dict[str, Rule] = {}
        for rule in (*BASE_RULES, *rules):
            known = self.rules.setdefault(rule.name, rule)
            if known.check != rule.check:
                raise ValueError(f"policy rule {rule.name} has two defaults")
        self._enforcer = self._new_enforcer()
        self._cache: dict[tuple[Any, ...], bool] = {}
        self._look_again = clock.monotonic() + conf.reload_seconds

    def _new_enforcer(self) -> Any:
        private = cfg.ConfigOpts()
        private([], project="nova", default_config_files=[], default_config_dirs=[])
        enforcer = oslo.Enforcer(private, policy_file=self._conf.policy_file or "policy.yaml")
        private.set_override("enforce_new_defaults", True, group="oslo_policy")
        private.set_override("policy_dirs", list(self._conf.policy_dirs), group="oslo_policy")
        enforcer.suppress_default_change_warnings = True
        enforcer.suppress_deprecation_warnings = True
        enforcer.register_defaults([self._default(rule) for rule in self.rules.values()])
        enforcer.load_rules()
        return enforcer

    def _default(self, rule: Rule) -> Any:
        check = rule.check
        if not self._conf.enforce_new_defaults and rule.old_check:
            check = f"({check}) or {rule.old_check}"
        return oslo.RuleDefault(rule.name, check, description=rule.description)

    def may(self, ctx: RequestContext, rule: str, target: Target | None = None) -> bool:
        """Tell whether the context may do what ``rule`` guards; the default target is its own project."""
        if self._clock.monotonic() >= self._look_again:
            self.reload()
        if target is None:
            key: tuple[Any, ...] = (
                rule,
                ctx.project_id,
                ctx.user_id,
                ctx.roles,
                ctx.is_admin,
                ctx.service_roles,
            )
        else:
            key = (
                rule,
                ctx.project_id,
                ctx.user_id,
                ctx.roles,
                ctx.is_admin,
                ctx.service_roles,
                target.project_id,
                target.user_id,
            )
        cache = self._cache
        known = cache.get(key)
        if known is None:
            known = self._decide(ctx, rule, target or Target(ctx.project_id, ctx.user_id))
            if len(cache) >= _CACHE_SIZE:
                cache = self._cache = {}
            cache[key] = known
        return known

    def require(self, ctx: RequestContext, rule: str, target: Target | None = None) -> None:
        """Raise :class:`PolicyForbids` unless :meth:`may`."""
        if not self.may(ctx, rule, target):
            raise PolicyForbids(rule=rule)

    def is_admin(self, roles: tuple[str, ...], project_id: str = "", user_id: str = "") -> bool:
        """Tell whether roles make an administrator (rule ``context_is_admin``)."""
        bare = RequestContext(request_id="", roles=roles, project_id=project_id, user_id=user_id)
        return self.may(bare, "context_is_admin")

    def reload(self) -> None:
        """Read the policy file again if it changed (SIGHUP, and every now and then); forget decisions."""
        self._look_again = self._clock.monotonic() + self._conf.reload_seconds
        before = self._enforcer.rules
        self._enforcer.load_rules()
        if self._enforcer.rules is not before:
            self._cache = {}

    def _decide(self, ctx: RequestContext, rule: str, target: Target) -> bool:
        if rule not in self.rules:
            raise LookupError(f"policy rule {rule} is not registered")
        credentials = {
            "user_id": ctx.user_id,
            "project_id": ctx.project_id,
            "tenant": ctx.project_id,
            "roles": list(ctx.roles),
            "is_admin": ctx.is_admin,
            "user_domain_id": ctx.user_domain_id,
            "project_domain_id": ctx.project_domain_id,
            "service_roles": list(ctx.service_roles),
        }
        owner = {"project_id": target.project_id, "tenant_id": target.project_id, "user_id": target.user_id}
        return bool(self._enforcer.enforce(rule, owner, credentials))

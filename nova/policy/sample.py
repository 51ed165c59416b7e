"""Writes ``policy.yaml.sample`` from the rules in code."""

from __future__ import annotations

from collections.abc import Iterable

from nova.policy.rules import BASE_RULES, Rule


def sample(rules: Iterable[Rule]) -> str:
    """Return the text of a policy file in which every default is shown, commented out."""
    merged: dict[str, Rule] = {}
    for rule in (*BASE_RULES, *rules):
        known = merged.get(rule.name)
        if known is None:
            merged[rule.name] = rule
        else:
            pairs = tuple(dict.fromkeys((*known.operations, *rule.operations)))
            merged[rule.name] = Rule(known.name, known.check, known.description or rule.description, pairs)
    base = [rule.name for rule in BASE_RULES]
    ordered = [merged[name] for name in base] + [merged[n] for n in sorted(merged) if n not in base]
    return "\n".join(_paragraph(rule) for rule in ordered)


def _paragraph(rule: Rule) -> str:
    lines = [f"# {rule.description}"] if rule.description else []
    lines += [f"# {method}  {path}" for method, path in rule.operations]
    lines.append(f'#"{rule.name}": "{rule.check}"')
    return "\n".join(lines) + "\n"

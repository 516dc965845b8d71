#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/api.md out of the daemon's own /openapi.json.

    curl -s 127.0.0.1:8080/openapi.json | tests/support/api_page.py > docs/api.md
"""

import json
import re
import sys

INTRODUCTION = """# The API, route by route

Made from the daemon's own description, `/openapi.json`, by `tests/support/api_page.py`; a test holds the two together. What the
answers mean stands in [http.md](http.md), the Open Inference Protocol and MLflow in [protocols.md](protocols.md), tokens in
[access.md](access.md). Names of tiers and features are those of the model in service.
"""


def name_of(reference):
    return reference.rsplit("/", 1)[1]


def link(name):
    return f"[{name}](#{name.lower()})"


def kind(schema):
    """A schema in a few words."""
    if "$ref" in schema:
        return link(name_of(schema["$ref"]))
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(dict.fromkeys(kind(one) for one in schema[word]))
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        shown = ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"][:8])
        return shown + (", ..." if len(schema["enum"]) > 8 else "")
    types = schema.get("type", "anything")
    types = types if isinstance(types, list) else [types]
    if "array" in types and "items" in schema:
        return f"list of {kind(schema['items'])}"
    words = " or ".join(types)
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        words += f", {low:g} to {high:g}"
    elif low is not None:
        words += f", from {low:g}"
    elif high is not None:
        words += f", up to {high:g}"
    return words


def cell(text):
    return re.sub(r"\s+", " ", str(text)).replace("|", "\\|")


def operation(path, method, what, out):
    out.append(f"### {method.upper()} {path}\n")
    out.append(f"{cell(what['summary'])}.\n")
    if what.get("security"):
        out.append("Needs a token where `access.tokens` is set.\n")
    if what.get("parameters"):
        out.append("| parameter | in | takes | |\n|---|---|---|---|")
        for one in what["parameters"]:
            must = " (required)" if one.get("required") else ""
            out.append(f"| `{one['name']}`{must} | {one['in']} | {cell(kind(one['schema']))} | {cell(one.get('description', ''))} |")
        out.append("")
    for role, content in [("Takes", what.get("requestBody", {}).get("content", {}))] + [
        (f"Answers {status}", answer.get("content", {})) for status, answer in what["responses"].items() if status.startswith("2")
    ]:
        if content:
            out.append(role + ": " + "; ".join(f"`{media}`" + (f": {kind(of['schema'])}" if of.get("schema") else "") for media, of in content.items()) + ".\n")
    failures = [status for status in what["responses"] if status[0] in "45"]
    if failures:
        out.append(f"Fails with {', '.join(failures)}.\n")


def shape(name, schema, out):
    out.append(f"### {name}\n")
    if "description" in schema:
        out.append(cell(schema["description"]) + ".\n")
    members = schema.get("properties")
    if not members:
        out.append(kind({key: value for key, value in schema.items() if key != "description"}) + "\n")
        return
    out.append("| member | | |\n|---|---|---|")
    for member, of in members.items():
        optional = "" if member in schema.get("required", []) else " (optional)"
        out.append(f"| `{member}`{optional} | {cell(kind(of))} | {cell(of.get('description', ''))} |")
    out.append("")


def page(document):
    out = [INTRODUCTION]
    for tag in document["tags"]:
        out.append(f"## {tag['name']}: {tag['description']}\n")
        for path, methods in document["paths"].items():
            for method, what in methods.items():
                if method != "parameters" and tag["name"] in what.get("tags", []):
                    operation(path, method, what, out)
    out.append("## Shapes\n")
    for name, schema in document["components"]["schemas"].items():
        shape(name, schema, out)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(json.load(sys.stdin)))

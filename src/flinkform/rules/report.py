"""Findings as other programs read them: SARIF 2.1.0, JUnit, and SonarQube's generic issues."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from flinkform import __version__
from flinkform.rules.finding import Finding
from flinkform.rules.table import RULES, Severity

_SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_UNSAID = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document can hold."""


def sarif(found: Sequence[Finding], _files: Sequence[str]) -> str:
    """Return a SARIF log of one run, as code scanning takes it; URIs are relative to the repository."""
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.title},
            "help": {"text": rule.mend},
            "defaultConfiguration": {"level": str(rule.severity)},
        }
        for rule in RULES
    ]
    places = [rule.id for rule in RULES]
    results = [
        {
            "ruleId": one.id,
            "ruleIndex": places.index(one.id),
            "level": str(one.severity),
            "message": {"text": one.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(one.position.file)},
                        "region": {"startLine": one.position.line, "startColumn": one.position.column},
                    }
                }
            ],
        }
        for one in found
    ]
    driver = {"name": "flinkform", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return _json({"$schema": _SARIF, "version": "2.1.0", "runs": [run]})


def junit(found: Sequence[Finding], files: Sequence[str]) -> str:
    """Return a test suite of one test a file, which fails where an error was found; warnings are its output."""
    by: dict[str, list[Finding]] = defaultdict(list)
    for one in found:
        by[one.position.file].append(one)
    names = sorted({*files, *by})
    failed = sum(any(one.severity is Severity.ERROR for one in by[name]) for name in names)
    counts = {"name": "flinkform validate", "tests": str(len(names)), "failures": str(failed)}
    suites = Element("testsuites", counts)
    suite = SubElement(suites, "testsuite", {**counts, "errors": "0", "skipped": "0", "time": "0"})
    for name in names:
        case = SubElement(suite, "testcase", {"name": _sayable(name), "classname": "flinkform.validate", "time": "0"})
        errors = [one for one in by[name] if one.severity is Severity.ERROR]
        others = [one for one in by[name] if one.severity is not Severity.ERROR]
        if errors:
            failure = SubElement(case, "failure", {"message": _sayable(errors[0].message), "type": errors[0].id})
            failure.text = _sayable("\n".join(one.told for one in errors))
        if others:
            SubElement(case, "system-out").text = _sayable("\n".join(one.told for one in others))
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def sonar(found: Sequence[Finding], _files: Sequence[str]) -> str:
    """Return generic issues as SonarQube 10.3 and newer import them (`sonar.externalIssuesReportPaths`)."""
    level = {Severity.ERROR: "HIGH", Severity.WARNING: "LOW"}
    rules = [
        {
            "id": rule.id,
            "name": rule.title,
            "description": rule.mend,
            "engineId": "flinkform",
            "cleanCodeAttribute": "CONVENTIONAL",
            "impacts": [{"softwareQuality": "RELIABILITY", "severity": level[rule.severity]}],
        }
        for rule in RULES
    ]
    issues = [{"ruleId": one.id, "primaryLocation": _location(one)} for one in found]
    return _json({"rules": rules, "issues": issues})


def _location(one: Finding) -> Mapping[str, Any]:
    # Of a place without a known end SonarQube wants the line alone.
    at = {"startLine": one.position.line}
    return {"message": one.message, "filePath": one.position.file, "textRange": at}


def _sayable(text: str) -> str:
    return _UNSAID.sub("\ufffd", text)


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


REPORTS: Mapping[str, Callable[[Sequence[Finding], Sequence[str]], str]] = {
    "junit": junit,
    "sarif": sarif,
    "sonar": sonar,
}
"""How findings are written, beside text and JSON; each also gets the files that were looked at."""

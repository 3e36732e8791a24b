"""What other programs read of findings keeps to what those who published the formats say."""

from __future__ import annotations

import json
from typing import Any
from xml.etree.ElementTree import fromstring

import jsonschema
import pytest

from flinkform.errors import Position
from flinkform.rules.finding import Finding
from flinkform.rules.report import REPORTS, junit, sarif, sonar
from flinkform.rules.table import RULES, Severity

FILES = ["jobs/shop/a b.sql", "jobs/shop/ok.sql"]
FOUND = [
    Finding(Position("jobs/shop/a b.sql", 3, 8), 'no column "é"\x1b[0m', "SELECT\tnope", id="flink"),
    Finding(Position("jobs/shop/a b.sql", 1, 1), "a name", id="job-name", severity=Severity.WARNING),
    Finding(Position("environments/dev.yaml", 2, 1), "unknown key 'x'"),
]
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
# Objects of the standard's schema that our log has: each with what must be in it, and nothing that may not.
SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": {"$ref": "#/$defs/run"}},
    },
    "$defs": {
        "run": {
            "type": "object",
            "required": ["tool"],
            "additionalProperties": False,
            "properties": {
                "tool": {
                    "type": "object",
                    "required": ["driver"],
                    "additionalProperties": False,
                    "properties": {"driver": {"$ref": "#/$defs/component"}},
                },
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
            },
        },
        "component": {
            "type": "object",
            "required": ["name"],
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string"},
                "version": {"type": "string"},
                "rules": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/rule"}},
            },
        },
        "rule": {
            "type": "object",
            "required": ["id"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string"},
                "shortDescription": TEXT,
                "help": TEXT,
                "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}},
            },
        },
        "result": {
            "type": "object",
            "required": ["message"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": -1},
                "level": LEVEL,
                "message": TEXT,
                "locations": {"type": "array", "items": {"$ref": "#/$defs/location"}},
            },
        },
        "location": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "physicalLocation": {
                    "type": "object",
                    "required": ["artifactLocation"],
                    "additionalProperties": False,
                    "properties": {
                        "artifactLocation": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {"uri": {"type": "string", "pattern": r"^[^\s\\:]+$"}},
                        },
                        "region": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {
                                "startLine": {"type": "integer", "minimum": 1},
                                "startColumn": {"type": "integer", "minimum": 1},
                            },
                        },
                    },
                }
            },
        },
    },
}
TEXTS = {"type": "string"}
RANGE = {
    "type": "object",
    "required": ["startLine"],
    "additionalProperties": False,
    "properties": {"startLine": {"type": "integer", "minimum": 1}},
}
# As SonarQube 10.3 and newer want them: rules apart from issues, with clean code's words in place of a type.
SONAR: dict[str, Any] = {
    "type": "object",
    "required": ["rules", "issues"],
    "properties": {
        "rules": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "name", "engineId", "cleanCodeAttribute", "impacts"],
                "properties": {
                    "cleanCodeAttribute": {"enum": ["FORMATTED", "CONVENTIONAL", "IDENTIFIABLE", "CLEAR", "LOGICAL"]},
                    "impacts": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["softwareQuality", "severity"],
                            "properties": {
                                "softwareQuality": {"enum": ["SECURITY", "RELIABILITY", "MAINTAINABILITY"]},
                                "severity": {"enum": ["HIGH", "MEDIUM", "LOW"]},
                            },
                        },
                    },
                },
            },
        },
        "issues": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["ruleId", "primaryLocation"],
                "additionalProperties": False,
                "properties": {
                    "ruleId": {"enum": [rule.id for rule in RULES]},
                    "primaryLocation": {
                        "type": "object",
                        "required": ["message", "filePath"],
                        "properties": {
                            "message": {"type": "string"},
                            "filePath": {"type": "string"},
                            "textRange": RANGE,
                        },
                    },
                },
            },
        },
    },
}


@pytest.mark.parametrize(("write", "schema"), [(sarif, SARIF), (sonar, SONAR)], ids=["sarif", "sonar"])
@pytest.mark.parametrize("found", [FOUND, []], ids=["some", "none"])
def test_schema(write: Any, schema: Any, found: list[Finding]) -> None:
    """What is written keeps to the schema, with findings and without."""
    jsonschema.Draft202012Validator(schema).validate(json.loads(write(found, FILES)))


def test_sarif_refers_to_its_rules() -> None:
    """Each result's index is that of its rule, places are URIs, levels are those of the findings."""
    (run,) = json.loads(sarif(FOUND, FILES))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == ["flink", "job-name", "job-file"]
    assert [one["level"] for one in run["results"]] == ["error", "warning", "error"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "jobs/shop/a%20b.sql"}, "region": {"startLine": 3, "startColumn": 8}}


def test_sonar_issues_are_of_known_rules() -> None:
    """An issue of a rule that the report does not have would fail the import."""
    told = json.loads(sonar(FOUND, FILES))
    assert {one["ruleId"] for one in told["issues"]} <= {one["id"] for one in told["rules"]}


def test_junit_counts() -> None:
    """One test a file: it fails where there is an error; what XML cannot hold is replaced; warnings are output."""
    suites = fromstring(junit(FOUND, FILES))  # noqa: S314 -- our own
    (suite,) = suites
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert list(cases) == ["environments/dev.yaml", *FILES]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "2", "0")
    assert [len(case.findall("failure")) for case in cases.values()] == [1, 1, 0]
    assert "\N{REPLACEMENT CHARACTER}" in str(cases["jobs/shop/a b.sql"].find("failure").get("message"))  # type: ignore[union-attr]
    assert "warning: a name [job-name]" in str(cases["jobs/shop/a b.sql"].findtext("system-out"))


def test_reports_are_what_the_command_offers() -> None:
    """Three, beside text and JSON."""
    assert list(REPORTS) == ["junit", "sarif", "sonar"]

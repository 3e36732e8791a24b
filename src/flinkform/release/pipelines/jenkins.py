"""A declarative pipeline of Jenkins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flinkform.jobfile import Settings
from flinkform.release.pipelines.jobs import ENDPOINT, HEAD, SECRETS, Job, setup


def written(settings: Settings, declared: Sequence[Job]) -> str:
    """Return the Jenkinsfile of a multibranch project; keys are credentials of the kind secret file."""
    credentials = {name: name.lower().replace("_", "-") for name in (ENDPOINT, *SECRETS)}
    lines = [
        f"// {HEAD}",
        "pipeline {",
        f"    agent {{ docker {{ image 'python:{settings.python}' }} }}",
        "    options { disableConcurrentBuilds() }",
        "    environment {",
        *(f"        {name} = credentials('{id}')" for name, id in credentials.items()),  # noqa: A001 -- Jenkins's word
        "    }",
        "    stages {",
        *(line for job in declared for line in _stage(settings, job)),
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _stage(settings: Settings, job: Job) -> Iterator[str]:
    yield f"        stage('{job.name}') {{"
    where = "changeRequest()" if job.change else f"branch '{settings.branch}'"
    first = "beforeInput true; " if job.asks else ""
    yield f"            when {{ {first}{where} }}"
    if job.asks:
        yield f"            input {{ message 'Approve the release to {job.environment}?' }}"
    if job.environment:
        yield f"            environment {{\n                FLINKFORM_ENVIRONMENT = '{job.environment}'"
        if job.key:
            yield f"                {job.key} = credentials('{job.key.lower().replace('_', '-')}')"
        yield "            }"
    yield "            steps {\n                sh '''"
    yield from (f"                    {_quoted(line)}" for line in (*setup(settings), *job.lines))
    yield "                '''\n            }"
    if job.gives:
        yield "            post {\n                always {"
        yield f"                    archiveArtifacts artifacts: '{','.join(job.gives)}', allowEmptyArchive: true"
        if job.change:
            yield "                    junit testResults: 'validate-*.xml', allowEmptyResults: true"
        yield "                }\n            }"
    yield "        }"


def _quoted(line: str) -> str:
    """Return a line as it stands between three single quotes of Groovy."""
    return line.replace("\\", "\\\\").replace("'''", "\\'\\'\\'")

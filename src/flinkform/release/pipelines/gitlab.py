"""A pipeline of GitLab CI."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from flinkform.jobfile import Settings
from flinkform.release.pipelines.jobs import HEAD, Job, setup


def written(settings: Settings, declared: Sequence[Job]) -> str:
    """Return the pipeline: who may start an approving job is said by its environment, and so is who gets its key.

    Endpoint, access key and the keys, of the type file, are variables of the project, protected and masked.
    """
    lines = [
        f"# {HEAD}",
        "workflow:",
        "  rules:",
        '    - if: $CI_PIPELINE_SOURCE == "merge_request_event"',
        f'    - if: $CI_COMMIT_BRANCH == "{settings.branch}"',
        f"stages: [{', '.join(job.name for job in declared)}]",
        "default:",
        f"  image: python:{settings.python}",
        "  before_script:",
        *(f"    - {json.dumps(line)}" for line in setup(settings)),
        'variables:\n  GIT_DEPTH: "0"',
    ]
    return "\n".join([*lines, *(line for job in declared for line in _job(settings, job))]) + "\n"


def _job(settings: Settings, job: Job) -> Iterator[str]:
    yield f"{job.name}:\n  stage: {job.name}\n  rules:"
    if job.change:
        yield '    - if: $CI_PIPELINE_SOURCE == "merge_request_event"'
    else:
        yield f'    - if: $CI_COMMIT_BRANCH == "{settings.branch}"'
    if job.asks:
        # Without allow_failure the jobs behind a manual one would not wait for it.
        yield f"      when: manual\n  allow_failure: false\n  environment:\n    name: {job.environment}-approval"
    if job.needs:
        yield f"  needs:\n    - job: {job.needs}\n      artifacts: true"
    if job.environment:
        yield f"  variables:\n    FLINKFORM_ENVIRONMENT: {job.environment}"
    if job.pushes:
        yield f"  resource_group: {job.environment}"
    yield "  script:"
    yield from (f"    - {json.dumps(line)}" for line in job.lines)
    if job.gives:
        yield "  artifacts:\n    when: always\n    paths:"
        yield from (f"      - {file}" for file in job.gives)
        if job.change:
            yield "    reports:\n      junit: validate-*.xml"

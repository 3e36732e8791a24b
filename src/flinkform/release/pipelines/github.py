"""A workflow of GitHub Actions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flinkform.jobfile import Settings
from flinkform.release.pipelines.jobs import ENDPOINT, HEAD, SECRETS, Job, setup

_FILES = "flinkform-files"


def written(settings: Settings, declared: Sequence[Job]) -> str:
    """Return the workflow: a person's approval is the environment's, whose secret the approving key is."""
    lines = [
        f"# {HEAD}",
        "name: flinkform",
        "on:",
        *(f"  {event}:\n    branches: [{settings.branch}]" for event in ("pull_request", "push")),
        "permissions:\n  contents: read",
        "concurrency:\n  group: flinkform-${{ github.ref }}",
        "env:",
        f"  {ENDPOINT}: ${{{{ vars.{ENDPOINT} }}}}",
        *(f"  {name}: ${{{{ secrets.{name} }}}}" for name in SECRETS),
        "jobs:",
    ]
    return "\n".join([*lines, *(line for job in declared for line in _job(settings, job))]) + "\n"


def _job(settings: Settings, job: Job) -> Iterator[str]:
    yield f"  {job.name}:"
    yield f"    if: github.event_name {'==' if job.change else '!='} 'pull_request'"
    if job.needs:
        yield f"    needs: {job.needs}"
    if job.asks:
        yield f"    environment: {job.environment}-approval"
    if job.pushes:
        yield "    permissions:\n      contents: write"
    yield "    runs-on: ubuntu-latest"
    if job.environment:
        yield f"    env:\n      FLINKFORM_ENVIRONMENT: {job.environment}"
    yield "    steps:"
    yield "      - uses: actions/checkout@v4\n        with:\n          fetch-depth: 0"
    yield f'      - uses: actions/setup-python@v5\n        with:\n          python-version: "{settings.python}"'
    if job.takes:
        yield f"      - uses: actions/download-artifact@v4\n        with:\n          name: {job.needs}"
    if job.key:
        yield from _run("key", _key(job.key), f"${{{{ secrets.{job.key} }}}}")
    yield from _run("set up", setup(settings))
    yield from _run(job.name, job.lines)
    if job.gives:
        yield "      - if: always()\n        uses: actions/upload-artifact@v4"
        yield f"        with:\n          name: {job.name}\n          path: |"
        yield from (f"            {file}" for file in job.gives)


def _key(name: str) -> tuple[str, ...]:
    """Return the lines that put a secret into a file, whose path the next steps find in *name*."""
    file = f"$RUNNER_TEMP/{name}"
    return ("umask 077", f'printf \'%s\\n\' "$KEY" > "{file}"', f'echo "{name}={file}" >> "$GITHUB_ENV"')


def _run(name: str, lines: Sequence[str], key: str = "") -> Iterator[str]:
    yield f"      - name: {name}"
    if key:
        yield f"        env:\n          KEY: {key}"
    yield "        run: |"
    yield from (f"          {line}" for line in lines)

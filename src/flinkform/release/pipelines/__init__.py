"""The pipelines of a repository: one declaration of jobs, written for each host that runs them."""

from collections.abc import Callable, Mapping

from flinkform.jobfile import Settings
from flinkform.release.pipelines import github, gitlab, jenkins
from flinkform.release.pipelines.jobs import jobs

_HOSTS: Mapping[str, tuple[str, Callable[..., str]]] = {
    "github": (".github/workflows/flinkform.yml", github.written),
    "gitlab": (".gitlab-ci.yml", gitlab.written),
    "jenkins": ("Jenkinsfile", jenkins.written),
}


def pipelines(settings: Settings, approvals: Mapping[str, int]) -> dict[str, str]:
    """Return the file of each host that *settings* name, by path; *approvals* are those that environments ask for."""
    declared = jobs(settings, approvals)
    return {path: write(settings, declared) for path, write in (_HOSTS[host] for host in settings.hosts)}

"""What a job is in a commit, its script with all that it includes and the values of an environment."""

from __future__ import annotations

from flinkform import jobfile
from flinkform.jobfile import Job
from flinkform.release.git import Repository
from flinkform.release.select import ENVIRONMENTS, JOBS
from flinkform.release.tree import CommitTree, below


def job_at(repository: Repository, commit: str, path: str, environment: str) -> Job:
    """Return the job at *path*, below the folder of jobs.

    NotFound, Invalid: the commit has no such job or environment, or one that cannot be read.
    """
    entries = repository.tree(commit, JOBS, ENVIRONMENTS)
    with repository.objects() as objects:
        places = CommitTree(objects, below(entries, ENVIRONMENTS), ENVIRONMENTS)
        jobs = CommitTree(objects, below(entries, JOBS), JOBS)
        return jobfile.load_job(path, jobs, environment=jobfile.environment_in(places, environment))


def script(repository: Repository, commit: str, path: str, environment: str) -> str:
    """Return the id that Git gives the script that Flink gets of a job; errors as above."""
    text = str(job_at(repository, commit, path, environment).values.get("sql", "")).encode()
    return repository.run("hash-object", "--stdin", feed=text).decode().strip()

"""Job files: text in a folder to checked, frozen values; knows nothing of Terraform or HTTP."""

from flinkform.jobfile.environments import allowed, environment
from flinkform.jobfile.load import load, load_job, problems
from flinkform.jobfile.model import Allowed, Environment, Job, Overlay
from flinkform.jobfile.names import job_name, job_path
from flinkform.jobfile.tree import Folder, Tree

__all__ = [
    "Allowed",
    "Environment",
    "Folder",
    "Job",
    "Overlay",
    "Tree",
    "allowed",
    "environment",
    "job_name",
    "job_path",
    "load",
    "load_job",
    "problems",
]

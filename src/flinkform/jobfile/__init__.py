"""Job files: text in a folder to checked, frozen values; knows nothing of Terraform or HTTP."""

from flinkform.jobfile.depend import differing, included, inputs, owner
from flinkform.jobfile.environments import allowed, environment, environment_in
from flinkform.jobfile.load import Survey, load, load_job, survey
from flinkform.jobfile.model import Allowed, Environment, Job, Overlay
from flinkform.jobfile.moves import names as moved_names
from flinkform.jobfile.names import job_name, job_path, shard
from flinkform.jobfile.origin import Origin, origins
from flinkform.jobfile.settings import Settings, settings
from flinkform.jobfile.tree import Folder, Tree

__all__ = [
    "Allowed",
    "Environment",
    "Folder",
    "Job",
    "Origin",
    "Overlay",
    "Settings",
    "Survey",
    "Tree",
    "allowed",
    "differing",
    "environment",
    "environment_in",
    "included",
    "inputs",
    "job_name",
    "job_path",
    "load",
    "load_job",
    "moved_names",
    "origins",
    "owner",
    "settings",
    "shard",
    "survey",
]

"""Constructs for Flink platforms: workspaces, namespaces and jobs as a tree that becomes Terraform JSON."""

from flinkform_constructs import _blocks
from flinkform_constructs._blocks import *  # noqa: F403 - generated, with the list of its names
from flinkform_constructs._cdk import cdk
from flinkform_constructs.app import App
from flinkform_constructs.backend import StateBackend
from flinkform_constructs.block import Block, DataSource, Lifecycle, Meta, Resource
from flinkform_constructs.element import Element, Scope
from flinkform_constructs.folder import JobFolder
from flinkform_constructs.intent import DataSessionCluster, DataVariable, SessionCluster, Variable
from flinkform_constructs.pipeline import PromotionPipeline
from flinkform_constructs.policy import ForbiddenOptions, Limits, Owners, Policy, RequiredLabels
from flinkform_constructs.provider import Endpoints, FlinkProvider
from flinkform_constructs.ref import COUNT_INDEX, EACH_KEY, EACH_VALUE, Literal, Ref, Text, text
from flinkform_constructs.shards import JobsStack
from flinkform_constructs.tenant import Place, Tenant

__all__ = [
    "COUNT_INDEX",
    "EACH_KEY",
    "EACH_VALUE",
    "App",
    "Block",
    "DataSessionCluster",
    "DataSource",
    "DataVariable",
    "Element",
    "Endpoints",
    "FlinkProvider",
    "ForbiddenOptions",
    "JobFolder",
    "JobsStack",
    "Lifecycle",
    "Limits",
    "Literal",
    "Meta",
    "Owners",
    "Place",
    "Policy",
    "PromotionPipeline",
    "Ref",
    "RequiredLabels",
    "Resource",
    "Scope",
    "SessionCluster",
    "StateBackend",
    "Tenant",
    "Text",
    "Variable",
    "cdk",
    "text",
]
__all__ += [name for name in _blocks.__all__ if name not in __all__]
